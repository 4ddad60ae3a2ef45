"""The panel: what a box shows as a file, in a terminal, on its page, and what happens where it can show nothing."""

from __future__ import annotations

import http.client
import io
import re
import stat
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image

from Rig.box import Box
from Rig.network import Network, inside
from Rig.qr import scan
from Rig.waiting import wait_until

PNG = {"panel": None, "panel.model": "png"}
"""Settings of a box that keeps its panel's picture in a file."""


def codes(picture: bytes, folder: Path) -> list[str]:
    """Every code in a picture; none is no error."""
    path = folder / "scanned.png"
    path.write_bytes(picture)
    return subprocess.run(
        ["zbarimg", "--raw", "--quiet", str(path)], capture_output=True, text=True, timeout=20).stdout.split()


def test_the_file_follows_the_room_from_the_codes_to_the_end(tmp_path):
    with Box({**PNG, "panel.size": "240x320"}) as box:
        file = box.state / "panel.png"
        wait_until(lambda: box.status()["panel"]["shows"] == "room", 10, "the room is shown", detail=box.describe)
        assert scan(file) == box.link
        assert Image.open(file).size == (240, 320)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, "it holds the secret"
        panel = box.status()["panel"]
        assert panel["model"] == "png" and panel["fault"] is None
        assert 0 < panel["firstCodes"] < 20_000
        print(f"the first codes after {panel['firstCodes']} ms")
        # The same picture everywhere.
        written = tmp_path / "panel.png"
        assert box.command("panel", "--png", str(written)).returncode == 0
        assert written.read_bytes() == file.read_bytes() == box.fetch("/panel.png").body
        words = box.command("panel").stdout
        assert box.link in words and "Scan to join: Kibitz Local" in words

        former = box.link
        began = time.monotonic()
        link = box.rotate()
        wait_until(lambda: codes(file.read_bytes(), tmp_path) == [link], 10, "the new code is shown", every=0.01,
                   detail=box.describe)
        print(f"new codes after {time.monotonic() - began:.2f} s")
        assert link != former

        shown = box.status()["panel"]["pictures"]
        used = box.cpu()
        time.sleep(3)
        assert box.status()["panel"]["pictures"] == shown, "nothing is drawn while nothing changes"
        assert box.cpu() - used < 0.5
        box.terminate()
        assert codes(file.read_bytes(), tmp_path) == [], "codes of a box that has ended lead nowhere"
        assert Image.open(file).size == (240, 320)


def test_the_picture_is_for_this_machine_and_for_who_knows_the_secret(tmp_path):
    with Network() as made, Box({**PNG, "addresses": [made.address]}, namespace=made.box) as box:
        phone = made.phone("ada")

        def ask(path: str, secret: str | None = None):
            connection = http.client.HTTPConnection(made.address, box.http_port, timeout=10)
            with inside(phone.namespace):
                connection.connect()
            connection.request("GET", path, headers={"authorization": f"Bearer {secret}"} if secret else {})
            response = connection.getresponse()
            return response.status, response.getheader("cache-control"), response.read()

        assert ask("/panel.png")[0] == 403
        assert ask("/panel.png", "A" * 22)[0] == 403
        status, kept, picture = ask("/panel.png", box.secret)
        assert (status, kept) == (200, "no-store")
        assert codes(picture, tmp_path) == [box.link]
        former = box.secret
        box.rotate()
        assert ask("/panel.png", former)[0] == 403, "a secret of earlier opens nothing"
        # The page itself holds nothing secret.
        status, _, page = ask("/panel")
        assert status == 200 and b"panel.js" in page and box.secret.encode() not in page
        assert box.fetch("/panel.png", address="127.0.0.1").status == 200


@pytest.mark.parametrize(("language", "words"), [("de", "Scannen und rein"), ("he", "סרקו והצטרפו"), ("en", "Scan to join")])
def test_the_terminal_speaks_the_language_that_is_set(language, words):
    with Box({"panel": "terminal", "language": language}) as box:
        wait_until(lambda: f"  {box.link}\n" in box.log(), 10, "the link is shown", detail=box.describe)
        assert words in box.log()


@pytest.mark.parametrize(("settings", "fault"), [
    ({"panel": "st7789-240x240"}, "missing"),
    ({"panel": "ssd1680-250x122"}, "missing"),
    ({"panel": None, "panel.model": "framebuffer", "panel.path": "/dev/no-such-screen"}, "missing"),
    ({"panel": None, "panel.model": "png", "panel.path": "/no/such/folder/panel.png"}, "file"),
    ({"panel": "none", "button": "true"}, None),
])
def test_a_panel_that_is_not_there_keeps_nobody_out(settings, fault):
    with Box(settings) as box:
        assert box.fetch("/api/room").status == 200
        status = wait_until(lambda: (now := box.status())["trouble"] and now, 10, "it is told", detail=box.describe)
        assert status["panel"]["fault"] == fault
        if fault is None:
            assert status["button"] == {"present": False, "light": None, "fault": "missing"}
            assert any("KIBITZ_BUTTON" in line for line in status["trouble"])
        text = box.command("status").stdout
        assert "Trouble    " in text
        # What it would show can be seen all the same.
        picture = Image.open(io.BytesIO(box.fetch("/panel.png").body))
        assert picture.width >= 120
        assert re.search(r"http://127\.0\.0\.1:\d+/#", box.command("panel").stdout)
        began = time.monotonic()
        assert box.terminate() in (0, -15)
        assert time.monotonic() - began < 8, "its end waits for no panel that is not there"


def test_the_button_is_left_alone_when_there_is_none():
    with Box({"button": "auto"}) as box:
        status = box.status()
        assert status["button"] == {"present": False, "light": None, "fault": None}
        assert not any("BUTTON" in line for line in status["trouble"])
