"""A display that the kernel drives, by /dev/fb0 and by DRM."""

from __future__ import annotations

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
