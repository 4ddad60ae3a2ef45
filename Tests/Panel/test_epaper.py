"""E-papers: pictures by the kernel's spidev on a simulated controller that holds BUSY, and what happens without one."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from Rig.box import Box
from Rig.glass import Glass, same, shown
from Rig.gpio import GPIO
from Rig.waiting import wait_until

MODELS = {
    # What BUSY is at while the panel is busy, and how far the box turns its pictures for a panel that lies on its side.
    "ssd1680-296x128": (True, 90),
    "uc8151-296x128": (False, 90),
    "uc8176-400x300": (False, 0),
}
HERTZ = 4_000_000
REFRESHED = 40
"""Seconds after which every panel here has made the longest of its refreshes."""


def upright(glass: Glass, turn: int):
    """The glass as a person sees it: turned against the clock as far as the box turned its picture."""
    return glass.picture().rotate(turn, expand=True)


def agree(box: Box, glass: Glass, turn: int) -> bool:
    return glass.settled() and same(shown(box), upright(glass, turn))


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


@pytest.fixture
def glass(gpio, bus, model):
    with Glass(model, gpio, bus, hertz=HERTZ, busy_level=MODELS[model][0]) as made:
        yield made


@pytest.fixture
def box(glass, model, make_box):
    with make_box({"panel": None, "panel.model": model, "panel.turn": MODELS[model][1]}) as running:
        yield running


def test_the_picture_on_the_glass_is_the_box_s(box, glass, model):
    turn = MODELS[model][1]
    wait_until(lambda: box.link in glass.codes(), REFRESHED, "the code is to be seen", every=1, detail=box.describe)
    wait_until(lambda: agree(box, glass, turn), REFRESHED, "the pictures are the same", every=1, detail=box.describe)
    assert glass.violations() == ""
    assert glass.busy_times, "the panel was never busy, so nothing was refreshed"
    assert box.status()["panel"]["fault"] is None


def test_a_press_brings_the_new_code_with_one_refresh(box, glass, gpio, model):
    turn = MODELS[model][1]
    wait_until(lambda: agree(box, glass, turn), REFRESHED, "the pictures are the same", every=1, detail=box.describe)
    link = box.link
    gpio.button.press(0.1)
    wait_until(lambda: box.link != link, 2, "the link is another", every=0.02, detail=box.describe)
    wait_until(lambda: box.link in glass.codes(), REFRESHED, "the new code is to be seen", every=1, detail=box.describe)
    wait_until(lambda: agree(box, glass, turn), REFRESHED, "the pictures are the same", every=1, detail=box.describe)
    assert glass.violations() == ""


def test_left_alone_it_rests(box, glass, model):
    wait_until(lambda: agree(box, glass, MODELS[model][1]), REFRESHED, "the pictures are the same", every=1, detail=box.describe)
    time.sleep(5)
    sent = len(glass.transfers)
    time.sleep(40)
    assert glass.settled() and len(glass.transfers) == sent, "something was sent for a picture that did not change"
    assert glass.violations() == ""


def test_a_box_that_ended_leaves_no_codes_on_the_paper(box, glass, model):
    wait_until(lambda: agree(box, glass, MODELS[model][1]), REFRESHED, "the pictures are the same", every=1, detail=box.describe)
    before, link = glass.picture(), box.link
    box.process.terminate()
    assert box.process.wait(60) == 0, box.describe()
    box.process = None
    wait_until(glass.settled, REFRESHED, "nothing more is sent")
    assert glass.violations() == ""
    assert not same(before, glass.picture())
    assert link not in glass.codes(), "codes of a box that has ended are still to be seen"


def test_a_second_ctrl_c_does_not_wait_for_the_last_picture(gpio, bus, make_box):
    """Who tried an e-paper at a terminal could not get out for as long as its refresh took, up to a minute."""
    model = "uc8176-400x300"
    settings = {"panel": None, "panel.model": model, "panel.accent": "red"}
    for presses in (1, 2):
        with Glass(model, gpio, bus, hertz=HERTZ, accent="red", busy_level=False) as glass, make_box(settings) as box:
            wait_until(lambda: box.link in glass.codes(), 2 * REFRESHED, "the code is to be seen", every=1, detail=box.describe)
            wait_until(glass.settled, REFRESHED, "nothing more is sent", every=1)
            began = time.monotonic()
            box.process.send_signal(signal.SIGINT)
            if presses == 2:
                time.sleep(3)
                assert box.alive and "Ctrl-C once more" in box.log(), box.describe()
                box.process.send_signal(signal.SIGINT)
            assert box.process.wait(60) == 0, box.describe()
            box.process = None
            took = time.monotonic() - began
            assert took < 4 if presses == 2 else took > 8, took


def hold_and_go(box: Box, gpio: GPIO, off: Path) -> None:
    """Hold the button for its three seconds, and be the machine that goes off then."""
    gpio.button.down()
    wait_until(lambda: box.status()["panel"]["shows"] == "holding", 3, "it counts down", every=0.05, detail=box.describe)
    time.sleep(3.5)
    gpio.button.up()
    wait_until(off.exists, 5, "the machine was told to shut down", every=0.05, detail=box.describe)
    assert box.status()["panel"]["shows"] == "shutting-down"
    box.process.terminate()
    assert box.process.wait(60) == 0, box.describe()
    box.process = None


@pytest.mark.parametrize("model", ["uc8176-400x300"])
def test_held_for_three_seconds_the_paper_says_in_the_end_that_it_may_be_unplugged(glass, gpio, model, make_box, tmp_path):
    off = tmp_path / "off"
    button = {"button.enabled": True, "button.shutdown": f"touch {off}"}
    # In words, on a terminal.
    with make_box({**button, "panel": "terminal"}) as box:
        hold_and_go(box, gpio, off)
        assert box.log().rpartition("\x1b[H")[2].count("Safe to unplug") == 1, box.describe()
    off.unlink()
    last = []
    for goes in (hold_and_go, lambda box, gpio, off: box.terminate()):
        with make_box({**button, "panel": None, "panel.model": model}) as box:
            wait_until(lambda: agree(box, glass, 0), REFRESHED, "the pictures are the same", every=1, detail=box.describe)
            link = box.link
            goes(box, gpio, off)
        wait_until(glass.settled, REFRESHED, "nothing more is sent", every=1)
        assert glass.violations() == "" and link not in glass.codes()
        last.append(glass.picture())
    assert not same(*last), "a box that only ended says that the machine is on"


@pytest.mark.parametrize("model", ["ssd1680-296x128", "uc8151-296x128"])
def test_a_panel_that_never_answers_is_told_and_the_room_goes_on(gpio, bus, model, make_box):
    level, turn = MODELS[model]
    with Glass(model, gpio, bus, hertz=HERTZ, busy_level=level, stuck=True) as glass:
        with make_box({"panel": None, "panel.model": model, "panel.turn": turn}) as box:
            wait_until(lambda: box.status()["panel"]["fault"] == "silent", 60, "status tells it", every=1, detail=box.describe)
            assert box.fetch("/api/room").status == 200
            link = box.link
            box.rotate()
            assert box.link != link
            # The plug was loose: it works again by itself.
            glass.unstick()
            wait_until(lambda: box.link in glass.codes(), 400, "the code is to be seen", every=1, detail=box.describe)
            wait_until(lambda: box.status()["panel"]["fault"] is None, 5, "status is well", every=1, detail=box.describe)
