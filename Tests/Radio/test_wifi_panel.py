"""A rotation seen from outside, on a box with all it has: a button, a panel on the SPI bus, its own Wi-Fi with a phone on it
that is in the room."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from Rig.accesspoint import RadioBox
from Rig.frames import AirEar, octets
from Rig.network import inside, run
from Rig.waiting import wait_until
from Rig.wifi import WPASupplicant

pytestmark = pytest.mark.box

PHONES = 1

GLASS = {"model": "st7789-240x320", "hertz": 62_500_000, "takes_time": True}
SETTINGS = {"panel": GLASS["model"], "button.enabled": True}

BEACON, DEAUTHENTICATION = 0x80, 0xC0


@pytest.fixture
def box(air, glass):
    with RadioBox(air, config=SETTINGS) as running:
        wait_until(lambda: running.link in glass.codes(), 10, "its codes are on the panel", detail=running.describe)
        yield running


def moment(when: float) -> float:
    """A second of `time.time()` as one of `time.monotonic()`."""
    return when - time.time() + time.monotonic()


def test_a_press_keeps_the_new_codes_tells_everyone_changes_the_wifi_and_shows_them_in_this_order(box, glass, gpio, phone):
    phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    phone.lease()
    kept, link, former = box.state / "room", box.link, box.ssid
    before = kept.read_text()
    session = box.fetch("/api/session", method="POST", body={"secret": box.secret}).json()
    url = f"ws://{box.wifi_address}/peerjs?key=peerjs&id={session['id']}&token={session['token']}&version=1.5.5"
    with contextlib.ExitStack() as stack:
        with inside(phone.namespace):
            socket = stack.enter_context(connect(url, proxy=None))
        assert json.loads(socket.recv(10)) == {"type": "OPEN"}
        ear = stack.enter_context(AirEar())
        time.sleep(1)
        gpio.button.press(0.1)
        let_go = time.monotonic()
        with pytest.raises(ConnectionClosed) as ended:
            while True:
                last = json.loads(socket.recv(10))
        told = time.monotonic()
        # First they are kept, which a loss of power then does not change.
        assert kept.read_text() != before and moment(kept.stat().st_mtime) <= told
        # Then everyone is told why, and closed.
        assert last["type"] == "ROTATED" and (ended.value.rcvd.code, ended.value.rcvd.reason) == (4001, "rotated")
        wait_until(lambda: box.link != link and box.link in glass.codes(), 5, "the new code is to be seen", every=0.02,
                   detail=box.describe)
        time.sleep(1)
        frames = [(moment(when), frame) for when, frame in ear.timed]
    # Then the Wi-Fi changes: who is on it is sent off, and the old name is heard no more.
    sent_off = [when for when, frame in frames if frame[0] == DEAUTHENTICATION and frame[4:10] == octets(phone.hardware)]
    beacons = {name: [when for when, frame in frames if frame[0] == BEACON and name.encode() in frame]
               for name in (former, box.ssid)}
    assert sent_off and told < sent_off[0]
    assert beacons[former][-1] < sent_off[0] < beacons[box.ssid][0]
    # And then the panel shows them. On this clock only what waits on purpose takes time, and the bus: most of it is the
    # time that the last words have to get to the phones.
    shown = glass.transfers[-1].time
    assert sent_off[0] <= shown < let_go + 0.3
    assert glass.violations() == ""
    assert any(code.startswith("WIFI:") and box.ssid in code for code in wait_until(
        lambda: [code for code in glass.codes() if code.startswith("WIFI:")], 20, "the way onto the Wi-Fi is to be seen"))


def test_the_codes_are_on_the_panel_before_the_radio_has_found_its_channel(air, glass):
    """They came with the beacon: a radio that may choose its channel listens to all of them first, for longer than half a
    second, and a panel showed nothing all the while."""
    for network in ({}, {"wifi.subnet": "10.20.30.0/24"}):
        with RadioBox(air, config={**SETTINGS, **network}) as box:
            panel, wifi = box.status()["panel"], box.wifi()
            assert wifi["startTime"] > 500, "this radio did not listen"
            assert panel["firstCodes"] < 150, panel
            # They lead where the Wi-Fi is then, and so need not be drawn again; nothing else comes before them, as they are
            # known as soon as the box has read what it keeps. They came behind the web server and all else that is begun.
            wait_until(lambda: box.link in glass.codes(), 20, "its codes are on the panel", detail=box.describe)
            assert f"//{wifi['address']}" in box.link
            time.sleep(0.5)
            assert box.status()["panel"]["pictures"] == 1, panel


def test_of_a_radio_that_is_not_there_no_codes_are_shown(air, glass):
    with RadioBox(air, config={**SETTINGS, "wifi.interface": "wlan7"}, up=False) as box:
        wait_until(lambda: box.status()["panel"]["shows"] == "trouble", 10, "it says why there are none", detail=box.describe)
        time.sleep(20)
        assert box.status()["panel"]["shows"] == "trouble" and box.status()["panel"]["firstCodes"] is None
        assert glass.codes() == []


def test_what_cannot_be_kept_is_not_changed(air, glass, gpio, phone, tmp_path):
    """No stage comes without the first."""
    run("mount", "-t", "tmpfs", "-o", "size=2m", "disk", str(tmp_path))
    with RadioBox(air, config=SETTINGS, start=False) as box:
        box.state = tmp_path / "state"
        box.start().wait_up()
        phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
        phone.lease()
        link, name = box.link, box.ssid
        wait_until(lambda: link in glass.codes(), 10, "its codes are on the panel", detail=box.describe)
        full = tmp_path / "full"
        with contextlib.suppress(OSError), full.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        gpio.button.press(0.1)
        wait_until(lambda: "could not be changed" in box.log(), 5, "the box says so", detail=box.describe)
        time.sleep(5)
        assert (box.link, box.ssid) == (link, name)
        wait_until(lambda: link in glass.codes(), 30, "its codes are still on the panel", detail=box.describe)
        assert phone.client.program.log().count("CTRL-EVENT-CONNECTED") == 1 and phone.ping(box.wifi_address) == 3
        full.unlink()
        wait_until(lambda: not any("could not be changed" in trouble for trouble in box.status()["trouble"]), 30,
                   "the box has found that it can", detail=box.describe)
        gpio.button.press(0.1)
        wait_until(lambda: box.link != link and box.link in glass.codes(), 5, "the new code is to be seen",
                   detail=box.describe)
        box.terminate()
    run("umount", str(tmp_path))


def test_with_addresses_of_its_owner_s_the_panel_still_shows_the_wifi_come_and_go(air, glass):
    """The way onto the Wi-Fi was not shown, or stayed when there was none: only a change of the box's addresses had the
    picture drawn anew, and those that its owner has set do not change."""
    with RadioBox(air, config={**SETTINGS, "addresses": ["10.77.0.1"]}) as box:
        def codes() -> set[bool]:
            """Of the codes seen in some seconds, as they alternate: whether each is one of a Wi-Fi."""
            seen = set()
            for _ in range(12):
                time.sleep(1.7)
                seen |= {code.startswith("WIFI:") for code in glass.codes()}
            return seen

        assert codes() == {False, True}
        run("rfkill", "block", "wifi")
        wait_until(lambda: not box.up, 10, "the Wi-Fi is off", detail=box.describe)
        assert True not in codes(), box.status()["panel"]
        run("rfkill", "unblock", "wifi")
        box.wait_up(30)
        assert codes() == {False, True}
