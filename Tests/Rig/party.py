"""A box on a network of its own and the people who come to its room."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from Rig.box import Box
from Rig.browsers import Browser, Browsers
from Rig.network import Network
from Rig.qr import scan
from Rig.waiting import wait_until

PICTURES = 3
"""New pictures that make a video a moving one."""

MEET_LIMIT = 45.0
"""Seconds until everyone sees everyone. Two phones need 2; five on two busy cores need more."""


class Party:
    """Opens when entered; `describe()` tells a failed test all there is to know."""

    def __init__(self, browsers: Browsers, config: dict | None = None):
        self.browsers = browsers
        self.network = Network()
        try:
            # Most tests want cameras, which browsers allow on https only.
            self.box = Box({"addresses": [self.network.address], "link.scheme": "https", **(config or {})},
                           namespace=self.network.box)
        except BaseException:
            self.network.close()
            raise

    def __enter__(self) -> Party:
        return self

    def __exit__(self, *_) -> None:
        try:
            self.browsers.clear()
            self.box.close()
        finally:
            self.network.close()

    def describe(self) -> str:
        try:
            status = json.dumps(self.box.status(), indent=1)
        except Exception as error:
            status = f"(no status: {error})"
        return f"{self.browsers.describe()}\n--- status\n{status}\n--- {self.box.describe()}"

    def link(self) -> str:
        """The join link, by the picture that hangs on the wall."""
        return scan(self.box.qr_png(self.box.state.parent / "qr.png"))

    def chromium(self, name: str, **options) -> Browser:
        return self.browsers.chromium(self.network.phone(name), **options)

    def firefox(self, name: str, **options) -> Browser:
        return self.browsers.firefox(self.network.phone(name), **options)

    def two(self) -> tuple[Browser, Browser]:
        """Ada with Chromium and Bob with Firefox, in the room and seeing each other."""
        bob, ada = self.firefox("bob"), self.chromium("ada")
        self.join(ada, bob)
        self.meet(ada, bob)
        return ada, bob

    def join(self, *people: Browser, link: str | None = None) -> None:
        """Each scans the code, gives a name and joins."""
        link = link or self.link()
        for person in people:
            person.open(link)
            self.enter(person)
        for person in people:
            wait_until(lambda: own_id(person), MEET_LIMIT, f"{person.name} is in the room", detail=self.describe)

    def enter(self, person: Browser) -> None:
        """Give a name and join, where the page does not come back into the room by itself."""
        if person.wait("document.querySelector('#join')?.checkVisibility() ? 'door' : globalThis.kibitzLocal?.snapshot()"
                       ".then(page => page.self.id && 'inside')", what="a way in") == "door":
            person.type("#name", person.name)
            person.click("#join")

    def meet(self, *people: Browser, timeout: float = MEET_LIMIT) -> None:
        """Wait until each sees moving pictures of all the others."""
        self.watch(*((person, other) for person in people for other in people if other is not person), timeout=timeout)

    def watch(self, *pairs: tuple[Browser, Browser], timeout: float = MEET_LIMIT) -> None:
        """Wait until, in each pair, the first one sees moving pictures of the second."""
        ids = {other: own_id(other) for _, other in pairs}
        first: dict = {}
        still = set(pairs)

        def all_move() -> bool:
            for person in {person for person, _ in still}:
                frames = decoded(person)
                for pair in [pair for pair in still if pair[0] is person]:
                    count = frames.get(ids[pair[1]])
                    if count is None:
                        continue
                    # A new connection counts from zero again.
                    if count < first.setdefault(pair, count):
                        first[pair] = count
                    if count >= first[pair] + PICTURES:
                        still.discard(pair)
            return not still
        wait_until(all_move, timeout, "everyone sees moving pictures of everyone",
                   detail=lambda: f"still: {[(a.name, b.name) for a, b in still]}\n{self.describe()}")

    def says(self, person: Browser, text: str, *listeners: Browser) -> None:
        """One writes in the chat, and the others get to read it, with the name of who wrote it."""
        self.writes(person, text)
        for listener in listeners:
            wait_until(lambda: text in self.read(listener, person), 10, f"{listener.name} reads {text!r}",
                       detail=self.describe)

    @staticmethod
    def writes(person: Browser, text: str) -> None:
        """Write in the chat."""
        show_chat(person)
        person.type("#chat-text", text)
        person.click("#chat-send")

    @staticmethod
    def read(person: Browser, author: Browser) -> list[str]:
        """What one has read of what another wrote, in the order that it is shown in."""
        return [message["text"] for message in person.snapshot()["chat"] if message["name"] == author.name]

    def keeps_moving(self, seconds: float, *people: Browser, gap: float = 2.0) -> None:
        """For so long, no picture among these stands still for longer than `gap` seconds."""
        def counts() -> dict:
            ids = [own_id(person) for person in people]
            return {(person.name, peer): count for person in people for peer, count in decoded(person).items()
                    if peer in ids}
        last = counts()
        changed = {link: time.monotonic() for link in last}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.2)
            now, present = time.monotonic(), counts()
            assert present.keys() == last.keys(), f"links came or went: {last} → {present}\n{self.describe()}"
            for link, count in present.items():
                if count > last[link]:
                    changed[link] = now
                assert now - changed[link] < gap, (
                    f"{link} stands still for {now - changed[link]:.1f} s\n{self.describe()}")
            last = present


def show_chat(person: Browser) -> None:
    """Open the chat, if it is not open already."""
    if not person.eval("!!document.querySelector('#chat-text')?.checkVisibility?.()"):
        person.click("#chat-open")


def hide_chat(person: Browser) -> None:
    """Close the chat, which covers the room on a phone, if it is open."""
    if person.eval("!!document.querySelector('#chat-close')?.checkVisibility?.()"):
        person.click("#chat-close")


def own_id(person: Browser) -> str | None:
    """The id a page has in the room, None while it has none."""
    snapshot = person.eval("globalThis.kibitzLocal ? globalThis.kibitzLocal.snapshot() : null")
    return (snapshot or {}).get("self", {}).get("id")


def links(person: Browser) -> dict[str, dict]:
    """The page's links by the other's id."""
    return {other["id"]: other["link"] for other in person.snapshot()["people"] if other.get("link")}


def decoded(person: Browser) -> dict[str, int]:
    """Pictures decoded so far, by the other's id."""
    return {id: link["framesDecoded"] or 0 for id, link in links(person).items()}


def brightness(person: Browser) -> dict[str, int]:
    """The brightest value of a few pixels of each tile's picture, 0 to 255, by the other's id."""
    return person.eval("""Object.fromEntries([...document.querySelectorAll('[data-peer-id]')].map(tile => {
        const video = tile.querySelector('video'), canvas = document.createElement('canvas');
        canvas.width = canvas.height = 8;
        const context = canvas.getContext('2d');
        if (video) context.drawImage(video, 0, 0, 8, 8);
        const pixels = context.getImageData(0, 0, 8, 8).data.filter((_, index) => index % 4 !== 3);
        return [tile.dataset.peerId, Math.max(...pixels)];
    }))""")


def with_settings(**settings):
    """Marks a test whose `party` has a box with these settings: `with_settings(link__scheme="http")`."""
    return pytest.mark.parametrize("party", [{key.replace("__", "."): value for key, value in settings.items()}],
                                   indirect=True, ids=[""])


def people_in_status(party: Party) -> dict[str, str]:
    """Who is in the room as the box sees it: names by id, without those who are away."""
    return {person["id"]: person["name"] for person in party.box.status()["people"] if not person["away"]}


def authority(party: Party) -> Path:
    """The box's certificate authority, as a phone gets it."""
    path = party.box.state.parent / "ca.crt"
    answer = party.box.fetch("/ca.crt")
    assert answer.status == 200 and answer.headers["content-type"] == "application/x-x509-ca-cert"
    path.write_bytes(answer.body)
    return path


def trust(certificate: Path, database: Path) -> None:
    """Put an authority into a browser's certificate database."""
    database.mkdir(parents=True, exist_ok=True)
    for arguments in (["-N", "--empty-password"], ["-A", "-n", "box", "-t", "C,,", "-i", str(certificate)]):
        subprocess.run(["certutil", *arguments, "-d", f"sql:{database}"], check=True, timeout=30, capture_output=True)
