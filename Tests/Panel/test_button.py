"""The button on its line: real edges of the kernel, by libgpiod, to what the box does."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from Rig.box import Box
from Rig.gpio import GPIO
from Rig.waiting import wait_until

STEADY = 4.0
"""Seconds after which what a press does is done, and another press is another wish."""


@pytest.fixture
def box(gpio, tmp_path, make_box):
    off = tmp_path / "off"
    with make_box({"button.enabled": True, "button.shutdown": f"touch {off}"}) as running:
        running.off = off
        yield running


def links(box: Box, seconds: float) -> list[str]:
    """The different links of this time, in their order."""
    found = [box.link]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        link = box.link
        if link != found[-1]:
            found.append(link)
        time.sleep(0.25)
    return found


def ended(box: Box) -> int:
    """The status with which the box ended by itself."""
    wait_until(lambda: not box.alive, 15, "the box ended", every=0.05, detail=box.log)
    status, box.process = box.process.returncode, None
    return status


def test_a_press_changes_the_codes(gpio, box):
    before = box.link
    gpio.button.press(0.1)
    wait_until(lambda: box.link != before, 2, "the link is another", every=0.02, detail=box.describe)
    assert box.status()["button"]["present"]
    assert box.fetch("/api/room").status == 200


def test_a_press_that_bounces_is_one(gpio, box):
    gpio.button.press(0.15, bounces=4)
    assert len(links(box, STEADY)) == 2
    gpio.button.press(0.15, bounces=9)
    assert len(links(box, STEADY)) == 2


def test_a_glitch_is_none(gpio, box):
    for _ in range(10):
        gpio.button.press(0.01)
        time.sleep(0.01)
    assert len(links(box, STEADY)) == 1


def test_two_quick_presses_are_one_and_later_ones_are_more(gpio, box):
    first = box.link
    gpio.button.press(0.1)
    time.sleep(0.2)
    gpio.button.press(0.1)
    assert len(links(box, STEADY)) <= 2
    second = box.link
    assert second != first
    gpio.button.press(0.1)
    assert links(box, STEADY)[-1] not in (first, second)


def test_held_and_let_go_in_time_is_nothing(gpio, box):
    before = box.link
    gpio.button.press(2.5)
    time.sleep(STEADY)
    assert box.alive and box.link == before
    assert not box.off.exists()


def test_held_for_three_seconds_shuts_down_when_let_go(gpio, box):
    before = box.link
    gpio.button.down(bounces=2)
    time.sleep(4)
    assert box.alive and not box.off.exists()
    gpio.button.up(bounces=2)
    wait_until(box.off.exists, 5, "the machine was told to shut down", every=0.05, detail=box.log)
    assert box.alive, "the box ends when the machine says so"
    assert box.terminate() == 0
    box.start()
    assert box.link == before


def test_held_for_ten_seconds_resets_everything(gpio, box):
    before = box.link
    gpio.button.down()
    time.sleep(9.7)
    assert box.alive
    assert ended(box) == 0
    gpio.button.up()
    assert not box.off.exists()
    box.start()
    assert box.link != before
    # Let go long ago: nothing more comes of it.
    link = box.link
    time.sleep(STEADY)
    assert box.alive and box.link == link


def test_the_light_is_on_and_blinks_while_the_button_is_held(gpio, box):
    led = gpio["KIBITZ_LED"]
    wait_until(lambda: led.value == 1, 5, "the light is on", every=0.05, detail=box.describe)

    def levels(seconds: float) -> set[int]:
        found = set()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found.add(led.value)
            time.sleep(0.02)
        return found

    assert levels(2) == {1}
    gpio.button.down()
    time.sleep(1.2)
    assert levels(1) == {0, 1}
    gpio.button.up()
    time.sleep(0.5)
    assert levels(2) == {1}


def test_without_a_button_the_room_is_there_and_status_says_what_is_missing(make_box):
    with make_box({"button.enabled": True}) as box:
        button = box.status()["button"]
        assert not button["present"] and button["fault"] == "missing"
        assert "KIBITZ_BUTTON" in box.log() and "config.txt" in box.log()
        # It is found when it comes: an overlay that was loaded later.
        with GPIO() as gpio:
            wait_until(lambda: box.status()["button"]["present"], 15, "the button is found", detail=box.describe)
            before = box.link
            gpio.button.press(0.1)
            wait_until(lambda: box.link != before, 2, "the link is another", every=0.02, detail=box.describe)
            # The chip cannot go while the box has it.
            box.terminate()


def test_a_chip_that_goes_away_and_comes_again_is_found(make_box):
    """Its line was read for ever, and the chip that came in its place, an expander plugged in again, was never looked for."""
    with make_box() as box:
        assert not box.status()["button"]["present"]
    gpio = GPIO()
    with make_box() as box:
        wait_until(lambda: box.status()["button"]["present"], 5, "the button is found", detail=box.describe)
        for _ in range(2):
            # Held at that moment: nothing comes of it.
            before = box.link
            gpio.button.down()
            time.sleep(2)
            gpio.remove()
            wait_until(lambda: box.status()["button"]["fault"] == "missing", 5, "its loss is told", detail=box.describe)
            assert not box.status()["button"]["present"]
            time.sleep(15)
            assert box.alive and box.status()["panel"]["shows"] == "room" and box.link == before
            gpio = GPIO()
            wait_until(lambda: box.status()["button"]["present"], 15, "the button is found", detail=box.describe)
            assert not box.status()["button"]["fault"]
            gpio.button.press(0.1)
            wait_until(lambda: box.link != before, 2, "the link is another", every=0.02, detail=box.describe)
            wait_until(lambda: gpio["KIBITZ_LED"].value == 1, 5, "the light is on", every=0.05, detail=box.describe)
            time.sleep(STEADY)
        # In the log once for each loss.
        assert box.log().count("read the line KIBITZ_BUTTON") == 2, box.log()
    gpio.remove()


def test_by_default_a_machine_without_a_button_is_well(make_box):
    with make_box() as box:
        button = box.status()["button"]
        assert not button["present"] and not button["fault"]
        assert "KIBITZ_BUTTON" not in box.log()


def test_nobody_touches_it_and_no_event_loop_wakes_up(gpio, box):
    def wakes() -> int:
        """How often the event loops, of the panel and of the web, slept and woke up."""
        count = 0
        for task in Path(f"/proc/{box.pid}/task").iterdir():
            if (task / "comm").read_text().startswith("NIO-"):
                count += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.M)[1])
        return count

    time.sleep(5)
    before = wakes()
    assert before > 0
    time.sleep(60)
    assert wakes() - before <= 2
