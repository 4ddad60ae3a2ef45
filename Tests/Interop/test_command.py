"""`kibitz-local` at the prompt: what an owner types, right and wrong."""

from __future__ import annotations

import errno
import grp
import json
import os
import pty
import pwd
import re
import select
import signal
import socket
import stat
import subprocess
import time
import xml.etree.ElementTree
from pathlib import Path

import pytest
from PIL import Image

from Rig import network
from Rig.box import Box, CommandFailed, clean_environment, command, executable, free_port, yaml_text
from Rig.qr import scan
from Rig.waiting import wait_until


def run_to_failure(tmp_path: Path, text: str, *arguments: str, environment: dict | None = None) -> str:
    """`kibitz-local run` with this configuration file has to end by itself and with an error, which is returned."""
    file = tmp_path / "config.yaml"
    file.write_text(text)
    result = command("run", "--config", file, "--state", tmp_path / "state", *arguments, environment=environment)
    assert result.returncode != 0, result.stdout
    assert "Fatal error" not in result.stderr and "Backtrace" not in result.stderr, result.stderr
    return result.stderr


# run


def test_start_shows_the_join_code_in_the_terminal(tmp_path):
    """On a terminal: the QR, which scans, and the link in words, soon after the start. Ctrl-C ends it in order."""
    config = tmp_path / "config.yaml"
    config.write_text(yaml_text({
        "addresses": ["127.0.0.1"], "http.port": free_port(), "https.port": free_port(),
        "stun.port": free_port(socket.SOCK_DGRAM), "hub.port": free_port(socket.SOCK_DGRAM), "panel": "terminal"}))
    terminal, inner = pty.openpty()
    start = time.monotonic()
    process = subprocess.Popen(
        [executable(), "run", "--config", config, "--state", tmp_path / "state"], stdin=inner, stdout=inner, stderr=inner,
        env=clean_environment({"TERM": "xterm-256color"}), start_new_session=True)
    os.close(inner)
    try:
        shown = b""

        def link_shown():
            nonlocal shown
            while select.select([terminal], [], [], 0)[0]:
                shown += os.read(terminal, 65536)
            return re.search(r"http://127\.0\.0\.1:\d+/#[\w-]+", shown.decode(errors="replace"))
        found = wait_until(link_shown, 10, "the link is in the terminal", every=0.02, detail=lambda: shown.decode())
        print(f"shown after {time.monotonic() - start:.2f} s")
        link = found[0]
        assert scan(_picture_of_terminal(shown.decode(), tmp_path)) == link
        process.send_signal(signal.SIGINT)
        assert process.wait(10) in (0, -signal.SIGINT, 130)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def _picture_of_terminal(text: str, directory: Path) -> Path:
    """Draw the half-block characters a terminal would show."""
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).rstrip("\r") for line in text.split("\n")]
    rows = [line for line in lines if line.strip(" ▀▄█") == "" and len(line) >= 21]
    width = max(map(len, rows))
    image = Image.new("L", (width + 8, 2 * len(rows) + 8), 255)
    for y, line in enumerate(rows):
        for x, character in enumerate(line):
            if character in "▀█":
                image.putpixel((x + 4, 2 * y + 4), 0)
            if character in "▄█":
                image.putpixel((x + 4, 2 * y + 5), 0)
    path = directory / "terminal.png"
    image.resize((image.width * 6, image.height * 6), Image.Resampling.NEAREST).save(path)
    return path


def test_stop_in_order(box):
    """SIGTERM: the end comes soon, with status 0."""
    start = time.monotonic()
    assert box.terminate() == 0, box.log()
    assert time.monotonic() - start < 5
    assert box.command("status").returncode != 0


def test_second_box_on_the_same_state(box):
    """Two boxes on one state directory would fight over the room; the second says who has it."""
    with Box(state=box.state, start=False) as second:
        second.config_file.write_text(yaml_text(second.settings))
        result = second.command("run", "--config", str(second.config_file))
        assert result.returncode != 0
        assert str(box.state) in result.stderr and str(box.pid) in result.stderr, result.stderr
    assert box.status()["pid"] == box.pid


@pytest.mark.parametrize("key, kind", [("http.port", socket.SOCK_STREAM), ("https.port", socket.SOCK_STREAM),
                                       ("stun.port", socket.SOCK_DGRAM), ("hub.port", socket.SOCK_DGRAM)])
def test_port_in_use(tmp_path, key, kind):
    """It says which port, and which setting changes it."""
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("0.0.0.0", 0))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        port = holder.getsockname()[1]
        settings = {"addresses": ["127.0.0.1"], "http.port": free_port(), "https.port": free_port(),
                    "stun.port": free_port(socket.SOCK_DGRAM), "hub.port": free_port(socket.SOCK_DGRAM), "panel": "none"}
        error = run_to_failure(tmp_path, yaml_text({**settings, key: port}))
        assert str(port) in error and key in error, error


def test_kill_at_any_moment_of_the_first_start(tmp_path):
    """Power that goes in the middle of the first start leaves a state from which the next start works."""
    with Box(start=False) as box:
        box.config_file.write_text(yaml_text(box.settings))
        for delay in (0.005, 0.02, 0.04, 0.07, 0.1, 0.15, 0.25):
            with open(os.devnull, "w") as nowhere:
                process = subprocess.Popen(
                    [executable(), "run", "--config", box.config_file, "--state", box.state], stdin=subprocess.DEVNULL,
                    stdout=nowhere, stderr=nowhere, env=clean_environment())
            time.sleep(delay)
            process.kill()
            process.wait()
        box.start()
        link = box.link
        box.kill()
        assert box.start().link == link


# Configuration


BAD_SETTINGS = {
    "a key that does not exist": ("http:\n  prot: 8080\n", 2, ["http.prot", "http.port"]),
    "a group that does not exist": ("panel: none\nhtpp:\n  port: 8080\n", 2, ["htpp"]),
    "a port that is none": ("http:\n  port: 65536\n", 2, ["http.port", "65535"]),
    "a word where a number belongs": ("room:\n  people: many\n", 2, ["room.people", "many"]),
    "a choice that does not exist": ("link:\n  scheme: gopher\n", 2, ["link.scheme", "auto", "http", "https"]),
    "an address that is none": ("addresses: [10.0.0.300]\n", 1, ["addresses", "10.0.0.300"]),
    "a key twice": ("log:\n  level: info\n  level: debug\n", 3, ["log.level"]),
    "not YAML": ("panel: none\nhttp: [1,\n", None, ["YAML"]),
    "a file that is not there": ("certificate:\n  chain: /nowhere/chain.pem\n  key: /nowhere/key.pem\n", 2,
                                 ["certificate.chain", "/nowhere/chain.pem"]),
    "half a certificate": ("certificate:\n  chain: /nowhere/chain.pem\n", 2, ["certificate.key"]),
}


@pytest.mark.parametrize("text, line, words", BAD_SETTINGS.values(), ids=BAD_SETTINGS.keys())
def test_wrong_settings_stop_the_start(tmp_path, text, line, words):
    """The error names the file, the line, the key and what may stand there."""
    error = run_to_failure(tmp_path, text)
    place = str(tmp_path / "config.yaml") + (f":{line}" if line else "")
    assert place in error, error
    for word in words:
        assert word in error, error


def test_all_wrong_settings_are_told_at_once(tmp_path):
    error = run_to_failure(tmp_path, "http:\n  prot: 1\nroom:\n  people: -3\n", "--set", "https.port=0",
                           environment={"KIBITZ_STUN_PORT": "x"})
    for word in ("http.prot", "room.people", "https.port", "stun.port"):
        assert word in error, error


def test_config_shows_values_and_where_they_came_from(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("http:\n  port: 1234\nroom:\n  people: 3\n")
    result = command("config", "--config", file, "--set", "stun.port=3333", environment={"KIBITZ_HTTPS_PORT": "4321"})
    assert result.returncode == 0, result.stderr
    rows = {columns[0]: (columns[1], columns[-1])
            for columns in (re.split(r"\s{2,}", line.strip()) for line in result.stdout.splitlines()) if len(columns) >= 3}
    assert rows["http.port"][0] == "1234" and rows["http.port"][1].endswith("config.yaml:2"), result.stdout
    assert rows["room.people"][0] == "3" and rows["room.people"][1].endswith("config.yaml:4")
    assert rows["https.port"] == ("4321", "KIBITZ_HTTPS_PORT")
    assert rows["stun.port"] == ("3333", "--set")
    assert rows["log.level"][1] == "default"


def test_sources_rank(tmp_path):
    """A flag beats the environment, which beats the file."""
    file = tmp_path / "config.yaml"
    file.write_text("http:\n  port: 1111\n")

    def port(*arguments, **environment):
        out = command("config", "--config", file, *arguments, environment=environment).stdout
        return re.search(r"^http\.port\s+(\d+)", out, re.M)[1]
    assert port() == "1111"
    assert port(KIBITZ_HTTP_PORT="2222") == "2222"
    assert port("--set", "http.port=3333", KIBITZ_HTTP_PORT="2222") == "3333"


def test_unknown_command_and_option():
    for arguments in (["frobnicate"], ["run", "--frobnicate"], ["status", "--jsn"]):
        result = command(*arguments)
        assert result.returncode != 0 and "Usage" in result.stderr, result.stderr
    assert command("--help").returncode == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", command("--version").stdout)


# status


def test_status(box):
    status = box.status()
    assert {"pid", "version", "http", "https", "stun", "hub", "blob", "hubLink", "link", "room", "people"} <= set(status), status
    assert status["pid"] == box.pid
    assert (status["http"], status["https"], status["stun"]) == (box.http_port, box.https_port, box.stun_port)
    assert status["people"] == []
    assert re.fullmatch(rf"http://127\.0\.0\.1:{box.http_port}/#[A-Za-z0-9_-]{{16,}}", status["link"]), status["link"]
    text = box.command("status").stdout
    assert str(box.http_port) in text and "{" not in text


# wifi


def test_wifi_of_a_box_that_makes_none(box):
    assert "no Wi-Fi of its own" in box.command("wifi").stdout
    told = json.loads(box.command("wifi", "--json").stdout)
    assert told["state"] == "none" and told["trouble"] is None and told["stations"] == []
    assert "passphrase" not in box.command("status").stdout


def test_wifi_where_there_is_no_radio():
    """The room is open all the same, and both commands say what is missing. A namespace has no radio of the machine's."""
    with network.Network() as lan, Box({"addresses": [lan.address], "wifi": "auto"}, namespace=lan.box) as box:
        told = wait_until(
            lambda: (told := json.loads(box.command("wifi", "--json").stdout))["trouble"] and told, 10,
            "the box has looked for a radio")
        assert told["state"] == "waiting" and "no Wi-Fi adapter" in told["trouble"]
        assert told["trouble"] in box.command("status").stdout
        assert told["trouble"] in box.command("wifi").stdout


def test_status_counts_people(box):
    """Someone in the room is in `status`, in words and in JSON, until they leave."""
    from websockets.sync.client import connect
    session = box.fetch("/api/session", method="POST", body={"secret": box.secret}).json()
    url = f"ws://127.0.0.1:{box.http_port}/peerjs?key=peerjs&id={session['id']}&token={session['token']}&version=1"
    with connect(url, proxy=None) as page:
        assert "OPEN" in page.recv(5)
        page.send(json.dumps({"type": "PRESENCE", "payload": {
            "name": "Ada", "camera": True, "microphone": False, "links": {"total": 0, "healthy": 0, "relayed": 0}}}))
        people = wait_until(lambda: [p for p in box.status()["people"] if p["name"]], 5, "Ada is in the status")
        assert [(p["id"], p["name"], p["away"]) for p in people] == [(session["id"], "Ada", False)]
        assert "Ada" in box.command("status").stdout
        page.send('{"type":"LEAVE"}')
        wait_until(lambda: not box.status()["people"], 5, "Ada has left")


@pytest.mark.parametrize("name", ["status", "qr", "rotate"])
def test_no_box_runs(tmp_path, name):
    """A command for a running box says that none runs, and how to start it."""
    result = command(name, "--state", tmp_path / "nowhere")
    assert result.returncode != 0
    assert "run" in result.stderr and str(tmp_path / "nowhere") in result.stderr, result.stderr
    assert not (tmp_path / "nowhere").exists()


def test_socket_of_a_killed_box(box):
    """What SIGKILL leaves behind does not make `status` hang or lie."""
    box.kill()
    start = time.monotonic()
    assert box.command("status", "--json").returncode != 0
    assert time.monotonic() - start < 5


# qr and rotate


def test_qr(box, tmp_path):
    """The picture, the drawing and the terminal's all hold the link."""
    link = box.link
    assert scan(box.qr_png(tmp_path / "qr.png")) == link
    drawing = tmp_path / "qr.svg"
    assert box.command("qr", "--svg", str(drawing)).returncode == 0
    assert xml.etree.ElementTree.parse(drawing).getroot().tag.endswith("svg")
    shown = box.command("qr").stdout
    assert link in shown and "\x1b" not in shown  # not a terminal: no colours
    assert scan(_picture_of_terminal(shown, tmp_path)) == link


def test_qr_to_a_place_that_cannot_be_written(box):
    result = box.command("qr", "--png", "/nowhere/qr.png")
    assert result.returncode != 0 and "/nowhere/qr.png" in result.stderr, result.stderr


def test_rotate(box):
    """A new link; the old secret is refused with a reason; a restart keeps the new one."""
    old, generation = box.link, box.status()["room"]["generation"]
    result = box.command("rotate")
    new = box.link
    assert result.returncode == 0 and new in result.stdout
    assert new != old and box.status()["room"]["generation"] == generation + 1
    refused = box.fetch("/api/session", method="POST", body={"secret": old.partition("#")[2]})
    assert refused.status == 403 and refused.json()["error"] == "rotated" and refused.json()["message"]
    assert box.fetch("/api/session", method="POST", body={"secret": new.partition("#")[2]}).status == 200
    box.kill()
    assert box.start().link == new


def test_updating(box, tmp_path):
    """The panel tells of an updater for as long as it runs, however it ends, and never stands in its way."""
    done = tmp_path / "done"

    def shows(word):
        wait_until(lambda: box.status()["panel"]["shows"] == word, 10, f"the panel shows {word}")

    def start(script):
        return subprocess.Popen(
            [str(executable()), "updating", "--state", str(box.state), "--", "sh", "-c", script],
            env=clean_environment())

    shows("room")
    updater = start(f"while ! test -e {done}; do sleep 0.05; done; exit 7")
    shows("updating")
    done.touch()
    assert updater.wait(10) == 7, "its end is the updater's own"
    shows("room")
    updater = start("exec sleep 60")
    shows("updating")
    updater.kill()
    updater.wait(10)
    shows("room")
    assert box.terminate() == 0, box.log()
    alone = box.command("updating", "--", "echo", "new")
    assert alone.returncode == 0 and alone.stdout == "new\n" and "no box runs" in alone.stderr
    assert box.command("updating", "--", "/nowhere/updater").returncode != 0
    assert "two dashes" in command("updating").stderr


def test_identity_outlives_the_process(box):
    """The same link, and the same id for the same token, after SIGKILL."""
    link = box.link
    session = box.fetch("/api/session", method="POST", body={"secret": box.secret}).json()
    box.kill()
    box.start()
    assert box.link == link
    again = box.fetch("/api/session", method="POST", body={"secret": box.secret, "token": session["token"]}).json()
    assert again["id"] == session["id"]


# the hub's links


def test_hub_links(box, tmp_path):
    """The same link in `status`, `qr --hub`, `relay-link.txt` and `/link`; a rotation changes its room, never the blob's
    identity; a restart changes nothing."""
    def told() -> str:
        status = box.status()
        link = status["hubLink"]
        assert link == f"https://kibitz.chat/?galaxy={status['blob']}#{box.secret}"
        assert (box.state / "relay-link.txt").read_text() == link + "\n"
        assert box.fetch("/link").text == link + "\n"
        # A page of anybody's whose name leads here, and a reverse proxy, learn no secret.
        for headers in ({"Host": "evil.example"}, {"X-Forwarded-For": "203.0.113.7"}, {"Sec-Fetch-Site": "cross-site"}):
            assert box.fetch("/link", headers=headers).text == link.partition("#")[0] + "\n", headers
        assert box.fetch("/api/room").json()["hub"] == status["blob"]
        return link
    link = told()
    port = box.status()["hub"]
    assert re.fullmatch(
        rf"https://kibitz\.chat/\?galaxy=g2\|\w{{8}}\|\w{{24}}\|[\w-]{{43}}\|{box.stun_port},[\w-]+,[\w-]+\|127\.0\.0\.1~{port}"
        rf"(\|[\w.-]+\.local~{port})?#[\w-]+", link), link
    assert f"LAN hub {port}/udp" in box.command("status").stdout and link in box.command("status").stdout
    picture = tmp_path / "hub.png"
    assert box.command("qr", "--hub", "--png", str(picture)).returncode == 0
    assert scan(picture) == link
    assert link in box.command("qr", "--hub").stdout
    assert box.command("rotate").returncode == 0
    new = told()
    assert new != link and new.split("|")[1:4] == link.split("|")[1:4], "printed codes keep naming this hub"
    assert new.split("|")[4] != link.split("|")[4], "its TURN credential goes with the room's codes"
    box.kill()
    box.start()
    assert told() == new
    kept = oct(stat.S_IMODE((box.state / "relay-link.txt").stat().st_mode))
    assert kept == "0o600", "the link lets everyone in"


def test_hub_can_be_left_out(tmp_path):
    with Box({"hub.enabled": False, "hub.port": None}) as box:
        status = box.status()
        assert (status["hub"], status["blob"], status["hubLink"]) == (None, None, None)
        assert box.fetch("/link").status == 404
        assert box.fetch("/api/room").json()["hub"] is None
        assert not (box.state / "relay-link.txt").exists()
        result = box.command("qr", "--hub")
        assert result.returncode != 0 and "hub.enabled" in result.stderr, result.stderr


def test_hub_port_is_the_identitys():
    """Without hub.port the box takes a usual one, and has the same after a restart even if an earlier one is free by then."""
    usual = [4711, 4712, 4713, 9711, 19711]
    with Box({"hub.port": None}, start=False) as box:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            try:
                holder.bind(("0.0.0.0", usual[0]))
            except OSError:
                pass  # somebody else holds it: as good
            box.start()
            port = box.status()["hub"]
            assert port in usual[1:]
            box.kill()
        box.start()
        assert box.status()["hub"] == port


def test_discovery_is_said_in_words(tmp_path):
    with Box({"discovery": True}) as box:
        assert "pose as" in box.command("status").stdout
        assert any("pose as" in line for line in box.status()["trouble"])
        assert box.fetch("/api/room").json()["discovery"] is True
        result = command("doctor", "--config", box.config_file, "--state", box.state)
        assert "pose as" in result.stdout and "4711" in result.stdout, result.stdout
    with Box() as box:
        assert "pose as" not in box.command("status").stdout
        assert box.fetch("/api/room").json()["discovery"] is False


def test_webrtc_direct_is_shown_only_when_wanted():
    with Box({"direct": "echo"}) as box:
        facts = box.fetch("/api/direct").json()
        assert re.fullmatch("[0-9a-f]{64}", facts["fingerprint"])
        assert facts["port"] == box.status()["hub"] and facts["addresses"] == ["127.0.0.1"]
    with Box() as box:
        assert [box.fetch(path).status for path in ("/direct", "/direct.html", "/api/direct")] == [404, 404, 404]


# doctor


def test_doctor_when_all_is_well(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(yaml_text({
        "addresses": ["127.0.0.1"], "http.port": free_port(), "https.port": free_port(),
        "stun.port": free_port(socket.SOCK_DGRAM), "hub.port": free_port(socket.SOCK_DGRAM)}))
    result = command("doctor", "--config", file, "--state", tmp_path / "state")
    assert result.returncode == 0, result.stdout + result.stderr


def test_doctor_names_the_trouble_and_the_mend(tmp_path):
    with socket.socket() as holder:
        holder.bind(("0.0.0.0", 0))
        holder.listen()
        port = holder.getsockname()[1]
        file = tmp_path / "config.yaml"
        file.write_text(yaml_text({
            "addresses": ["127.0.0.1"], "http.port": port, "https.port": free_port(),
            "stun.port": free_port(socket.SOCK_DGRAM)}))
        result = command("doctor", "--config", file, "--state", tmp_path / "state")
        assert result.returncode != 0
        assert str(port) in result.stdout and "http.port" in result.stdout, result.stdout


def test_doctor_with_wrong_settings(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("http:\n  prot: 1\n")
    result = command("doctor", "--config", file, "--state", tmp_path / "state")
    assert result.returncode != 0 and "http.prot" in result.stdout + result.stderr


# Who may do what


def test_files_are_private(box):
    """The state holds keys: nobody else may read it, nor use the socket."""
    for path in [box.state, *box.state.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert mode & 0o007 == 0, f"{path} has mode {mode:o}"
        if path.is_file():
            assert mode & 0o077 == 0, f"{path} has mode {mode:o}"


def connect_as(path: Path, user: str, group: str) -> int:
    """The error number another user gets who connects to a Unix socket; 0 when it is let in."""
    identity, membership = pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(membership)
            os.setuid(identity)
            with socket.socket(socket.AF_UNIX) as client:
                os._exit(client.connect_ex(str(path)))
        finally:
            os._exit(255)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_control_socket_is_for_root_and_the_group():
    """Another user gets nowhere; one of the group gets in."""
    with Box({"control.group": "games"}) as box:
        box.state.parent.chmod(0o755)  # the rig's own directory, closed to others
        (control,) = [path for path in box.state.iterdir() if path.is_socket()]
        assert connect_as(control, "nobody", "nogroup") == errno.EACCES
        assert connect_as(control, "nobody", "games") == 0
        for path in box.state.iterdir():
            if path.is_file():
                assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, f"{path} is open to the group"


def test_metrics_are_for_the_machine_itself():
    """Prometheus text on loopback; a phone is refused, on either port."""
    with network.Network() as lan, Box({"addresses": [lan.address]}, namespace=lan.box) as box:
        answer = box.fetch("/metrics", address="127.0.0.1")
        assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain")
        for line in answer.text.splitlines():
            assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .*|[a-z_]+(\{.*\})? [0-9.e+-]+", line), line
        assert any(name.startswith("kibitz_") for name in box.metrics())
        box.namespace = lan.phone("ada").namespace  # ask from a phone
        for secure in (False, True):
            refused = box.fetch("/metrics", secure=secure)
            assert refused.status in (403, 404) and "kibitz_" not in refused.text


def test_command_failed_shows_both_streams(tmp_path):
    """The rig itself: a failing command shows why."""
    with Box(start=False) as box, pytest.raises(CommandFailed, match="status"):
        box.status()
