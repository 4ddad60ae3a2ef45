"""New codes for the room, with the power lost and the disk full at every moment; and the box as it was when new."""

from __future__ import annotations

import json
import random
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from Rig.box import Box, clean_environment, command, executable, yaml_text
from Rig.waiting import PATIENCE, wait_until

KILLS = 500
BOXES = 4
"""Boxes that are killed side by side: most of a start is waiting for the disk."""

RESET_KILLS = 40

ROOM = re.compile(
    r"kibitz-local room 2 (?P<generation>\d+) (?P<secret>[\w-]{22}) (?P<suffix>\w{4}) (?P<passphrase>\w{5}-\w{5}-\w{5})\n"
    r"(?P<former>([\w-]{22}\n)*)")


def ask(box: Box, request: str, timeout: float = 10 * PATIENCE) -> dict:
    """A request over the control socket, without the time that a command takes to start."""
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(timeout)
        control.connect(str(box.state / "control.sock"))
        control.sendall(json.dumps(request).encode() + b"\n")
        answer = b""
        while chunk := control.recv(65536):
            answer += chunk
    if not answer:
        raise ConnectionError("the box has gone")
    return json.loads(answer)


def launch(box: Box) -> None:
    """Start the box's process and wait until it answers: the quickest way to one that runs."""
    assert box.process is None
    if not box.config_file.exists():
        box.config_file.write_text(yaml_text(box.settings))
    with open(box.log_file, "ab") as log:
        box.process = subprocess.Popen(
            [str(executable()), "run", "--config", str(box.config_file), "--state", str(box.state)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=clean_environment(),
            start_new_session=True)
    until = time.monotonic() + 20 * PATIENCE
    while True:
        assert box.process.poll() is None, box.describe()
        try:
            ask(box, "status")
            return
        except OSError:
            assert time.monotonic() < until, box.describe()
            time.sleep(0.003)


def room_of(box: Box) -> re.Match:
    text = (box.state / "room").read_text()
    room = ROOM.fullmatch(text)
    assert room, f"the room's file is not whole: {text!r}"
    return room


def files_of(box: Box) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in box.state.iterdir() if path.is_file()}


# killed


class Killed:
    """One box that is killed in the middle of rotations, again and again, and looked at each time."""

    def __init__(self, seed: int, rounds: int):
        self.random = random.Random(seed)
        self.rounds = rounds
        self.old = self.new = self.rotations = 0
        self.problem: BaseException | None = None

    def run(self) -> None:
        try:
            box = Box(start=False)
            try:
                launch(box)
                for _ in range(self.rounds):
                    self.round(box)
            except BaseException as error:
                error.add_note(box.describe())
                raise
            finally:
                box.close()
        except BaseException as error:
            self.problem = error

    def round(self, box: Box) -> None:
        before = files_of(box)
        known = [room_of(box)]

        def rotate() -> None:
            while True:
                try:
                    answer = ask(box, "rotate")
                except OSError:
                    return
                # What the box has promised is on the disk.
                status = answer["status"]
                known.append((status["room"]["generation"], status["link"]))

        asking = threading.Thread(target=rotate)
        asking.start()
        time.sleep(self.random.uniform(0, 0.08))
        box.kill()
        asking.join(30)
        assert not asking.is_alive()
        self.rotations += len(known) - 1

        first = known[0]
        generation = int(first["generation"]) if len(known) == 1 else known[-1][0]
        after = files_of(box)
        room = room_of(box)
        assert int(room["generation"]) in (generation, generation + 1), (generation, room[0])
        if int(room["generation"]) == generation:
            self.old += 1
            if len(known) == 1:
                assert after["room"] == before["room"]
            else:
                assert known[-1][1].endswith(f"#{room['secret']}"), "the codes it has told are not those it kept"
        else:
            self.new += 1
        former = room["former"].split()
        count = int(room["generation"]) - int(first["generation"])
        assert len(former) == min(64, int(room["generation"]) - 1) and room["secret"] not in former
        assert len(set(former)) == len(former)
        if count:
            assert former[-count] == first["secret"], "a former secret was lost"
        changing = {"room", "relay-link.txt", "hub-ids", "lock"}
        for name in before.keys() - changing:
            if not name.startswith(".new-"):
                assert after[name] == before[name], f"{name} was changed by a rotation"
        # The link is made anew at each start; until then it is a whole one, of this generation or one before it.
        link = after["relay-link.txt"].decode()
        assert link.endswith("\n") and link.strip().rpartition("#")[2] in [room["secret"], *former]
        assert int(after["hub-ids"]) >= int(before["hub-ids"])
        assert {name for name in after if not name.startswith(".new-")} == \
            {name for name in before if not name.startswith(".new-")}

        box.process = None
        launch(box)
        status = ask(box, "status")["status"]
        assert status["room"]["generation"] == int(room["generation"])
        assert status["link"].endswith(f"#{room['secret']}") and not told_of_storage(status)
        assert (box.state / "relay-link.txt").read_text().strip() == status["hubLink"]
        assert status["hubLink"].endswith(f"#{room['secret']}")
        assert not [name for name in files_of(box) if name.startswith(".new-")], "an unfinished file was left"
        # Only the present secret opens the room.
        for secret in [room["secret"], *former[-1:]]:
            answer = box.fetch("/api/session", method="POST", body={"secret": secret})
            assert answer.status == (200 if secret == room["secret"] else 403), answer


def test_killed_at_any_moment_the_state_is_the_old_one_or_the_new_one():
    """500 SIGKILLs at random moments of rotations. What stays is one generation, whole: the one that was told last or the one
    after it; nothing else of the state changes; and the box starts with it."""
    seed = random.randrange(1 << 32)
    runs = [Killed(seed + index, KILLS // BOXES) for index in range(BOXES)]
    threads = [threading.Thread(target=run.run) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for run in runs:
        if run.problem:
            raise AssertionError(f"seed {seed}") from run.problem
    old, new = sum(run.old for run in runs), sum(run.new for run in runs)
    print(f"{old} kills left the old codes, {new} the new ones, after {sum(run.rotations for run in runs)} rotations")
    assert old + new == KILLS
    assert min(old, new) > KILLS // 50, f"the kills came all at one side of the write: {old} and {new}"


# asked for again, and refused


def test_rotations_asked_for_during_one_are_joined(box):
    """Ten who ask at once get the same new codes: nothing is queued."""
    generation = box.status()["room"]["generation"]
    controls = [socket.socket(socket.AF_UNIX) for _ in range(10)]
    for control in controls:
        control.settimeout(10 * PATIENCE)
        control.connect(str(box.state / "control.sock"))
    for control in controls:
        control.sendall(b'"rotate"\n')
    answers = []
    for control in controls:
        answer = b""
        while chunk := control.recv(65536):
            answer += chunk
        control.close()
        answers.append(json.loads(answer)["status"])
    told = {(answer["room"]["generation"], answer["link"]) for answer in answers}
    assert len(told) <= 2 and max(told)[0] - generation == len(told), told
    assert box.link == max(told)[1]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own that can be filled."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "kibitz-test", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> None:
    with open(disk / "filling", "wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(bytes(4096))


def told_of_storage(status: dict) -> list[str]:
    return [line for line in status["trouble"] if "could not be changed" in line]


def test_a_rotation_that_cannot_be_stored_changes_nothing(small_disk):
    """The old codes stay valid, for people who are there too, and after a restart; whoever asked and `status` hear why, until
    the disk has room again."""
    with Box(state=small_disk / "state") as box:
        before, kept = box.status(), (box.state / "room").read_bytes()
        secret = box.secret
        session = box.fetch("/api/session", method="POST", body={"secret": secret}).json()
        fill(small_disk)
        for _ in range(2):
            result = box.command("rotate")
            assert result.returncode != 0 and "the disk is full" in result.stderr, result
        status = box.status()
        assert status["link"] == before["link"] and status["hubLink"] == before["hubLink"]
        assert "the disk is full" in told_of_storage(status)[0] and "old ones are valid" in told_of_storage(status)[0]
        assert (box.state / "room").read_bytes() == kept
        again = box.fetch("/api/session", method="POST", body={"secret": secret, "token": session["token"]})
        assert again.status == 200 and again.json()["id"] == session["id"]
        (small_disk / "filling").unlink()
        wait_until(lambda: not told_of_storage(box.status()), 12, "the trouble is over, though nobody asked again")
        assert box.link == before["link"]
        box.kill()
        assert box.start().link == before["link"]
        assert box.rotate() != before["link"]


# as new


def test_reset_makes_the_box_as_new(box):
    """Everything the box keeps goes; the owner's files stay, wherever they are; the next start is a first one."""
    own = box.state / "mine"
    own.mkdir()
    (own / "page.html").write_text("mine")
    box.rotate()
    before, status = files_of(box), box.status()
    asked = box.command("reset")
    assert asked.returncode != 0 and "--yes" in asked.stderr, "nobody was asked"
    assert box.status()["link"] == status["link"]
    result = box.command("reset", "--yes")
    assert result.returncode == 0 and "as it was when it was new" in result.stdout, result
    assert box.process.wait(10 * PATIENCE) == 0
    box.process = None
    assert set(files_of(box)) == {"lock"} and (own / "page.html").read_text() == "mine"
    box.start()
    after = files_of(box)
    for name in ["key", "room", "hub", "certificate-authority.pem", "certificate.pem", "relay-link.txt"]:
        assert after[name] != before[name], name
    assert box.status()["room"]["generation"] == 1
    secret = status["link"].partition("#")[2]
    assert box.fetch("/api/session", method="POST", body={"secret": secret}).status == 403


def test_reset_of_a_box_that_does_not_run(box):
    old = box.link
    box.kill()
    config = box.state / "config.yaml"
    shutil.copy(box.config_file, config)
    result = box.command("reset", "--yes", "--config", str(config))
    assert result.returncode == 0, result
    assert set(files_of(box)) == {"lock", "config.yaml"}
    assert box.start().link != old


def test_reset_of_what_is_no_box(tmp_path):
    """A mistyped directory loses nothing."""
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o700)
    (mine / "letter").write_text("dear")
    # /var/lib/dpkg has one of this name, which once was enough.
    (mine / "lock").write_text("")
    result = command("reset", "--yes", "--state", str(mine))
    assert result.returncode != 0 and "--state" in result.stderr, result
    assert sorted(path.name for path in mine.iterdir()) == ["letter", "lock"]


def test_killed_in_a_reset_it_is_done_or_not_begun():
    """SIGKILL at random moments of a reset: the next start finds everything as it was, or nothing of it."""
    pick = random.Random(4)
    done = 0
    box = Box(start=False)
    try:
        launch(box)
        for _ in range(RESET_KILLS):
            before = files_of(box)

            def reset() -> None:
                try:
                    ask(box, "reset")
                except (OSError, ValueError):
                    pass

            asking = threading.Thread(target=reset)
            asking.start()
            # Many at once, some late: whether a machine is quick or busy, some come before the marker and some behind it.
            # Evenly spread, all forty came behind it on a machine that had nothing else to do.
            time.sleep(0.05 * pick.random() ** 6)
            box.kill()
            asking.join(30)
            launch(box)
            after = files_of(box)
            own = ["key", "room", "hub", "certificate-authority.pem", "certificate.pem"]
            same = [name for name in own if after[name] == before[name]]
            assert same in ([], own), f"only {same} stayed"
            assert "reset" not in after
            done += not same
    finally:
        box.close()
    print(f"{done} of {RESET_KILLS} resets took place")
    assert 0 < done < RESET_KILLS, f"the kills came all at one side: {done}"
