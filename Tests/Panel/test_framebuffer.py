"""A display that the kernel drives, by /dev/fb0 and by DRM."""

from __future__ import annotations

import fcntl
import os

import pytest
from PIL import Image
from Rig.box import Box
from Rig.display import CARD, FRAMEBUFFER, Display
from Rig.glass import same, shown
from Rig.waiting import wait_until


@pytest.fixture(scope="module")
def display():
    return Display()


def agree(box: Box, screen: Image.Image | None) -> bool:
    """Whether the screen has the box's picture, each of its pixels a square of many, and white around it."""
    if screen is None:
        return False
    picture = shown(box)
    scale = min(screen.width // picture.width, screen.height // picture.height)
    large = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    expected = Image.new("RGB", screen.size, "white")
    expected.paste(large, tuple((whole - part) // 2 for whole, part in zip(screen.size, large.size)))
    return same(expected, screen)


# First: a display that came stays.
def test_without_a_display_it_is_told_and_the_room_goes_on(make_box):
    with make_box({"panel": "framebuffer"}) as box:
        wait_until(lambda: box.status()["panel"]["fault"] == "missing", 5, "status tells it", detail=box.describe)
        assert box.fetch("/api/room").status == 200


@pytest.mark.parametrize("path", [FRAMEBUFFER, CARD])
def test_the_screen_has_the_box_s_picture(display, make_box, path):
    screen = display.picture if path == FRAMEBUFFER else display.scanned_out
    with make_box({"panel": None, "panel.model": "framebuffer", "panel.path": str(path)}) as box:
        wait_until(lambda: agree(box, screen()), 5, "the pictures are the same", detail=box.describe)
        first = shown(box)
        box.rotate()
        wait_until(lambda: not same(first, shown(box)) and agree(box, screen()), 5, "the new codes are there",
                   detail=box.describe)
        assert box.status()["panel"]["fault"] is None
        assert box.terminate() == 0
    # It is the console's again.
    assert display.scanned_out() is None


def test_without_a_name_the_display_is_taken_before_its_framebuffer(display, make_box):
    """On a framebuffer, the console's cursor and login prompt came over the codes."""
    with make_box({"panel": "framebuffer"}) as box:
        wait_until(lambda: agree(box, display.scanned_out()), 5, "the display has it", detail=box.describe)
        assert box.status()["panel"]["fault"] is None


def test_a_display_that_another_program_has_is_taken_when_it_is_free(display, make_box):
    """A boot screen has the display: until it ends, the framebuffer is used."""
    card = os.open(CARD, os.O_RDWR)
    try:
        fcntl.ioctl(card, 0x641E)  # DRM_IOCTL_SET_MASTER
        with make_box({"panel": "framebuffer"}) as box:
            wait_until(lambda: agree(box, display.picture()), 5, "the framebuffer has it", detail=box.describe)
            assert display.scanned_out() is None
            os.close(card)
            card = -1
            wait_until(lambda: agree(box, display.scanned_out()), 10, "the display has it", detail=box.describe)
    finally:
        if card >= 0:
            os.close(card)
