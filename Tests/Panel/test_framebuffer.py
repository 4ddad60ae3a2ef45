"""A display that the kernel drives, by /dev/fb0 and by DRM."""

from __future__ import annotations

import pytest
from PIL import Image
from Rig.box import Box
from Rig.display import CARD, FRAMEBUFFER, Display
from Rig.glass import same, shown
from Rig.waiting import wait_until


@pytest.fixture
def display():
    with Display() as made:
        yield made


def agree(box: Box, display: Display) -> bool:
    """Whether the screen has the box's picture, each of its pixels a square of many, and white around it."""
    picture = shown(box)
    scale = min(display.size[0] // picture.width, display.size[1] // picture.height)
    large = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    expected = Image.new("RGB", display.size, "white")
    expected.paste(large, tuple((whole - part) // 2 for whole, part in zip(display.size, large.size)))
    return same(expected, display.picture())


def test_the_framebuffer_has_the_box_s_picture(display, make_box):
    with make_box({"panel": None, "panel.model": "framebuffer", "panel.path": str(FRAMEBUFFER)}) as box:
        wait_until(lambda: agree(box, display), 5, "the pictures are the same", detail=box.describe)
        link = box.rotate()
        assert box.link == link
        wait_until(lambda: agree(box, display), 5, "the pictures are the same", detail=box.describe)
        assert box.status()["panel"]["fault"] is None
        box.terminate()


def test_a_drm_card_shows_the_box_s_buffer(display, make_box):
    with make_box({"panel": None, "panel.model": "framebuffer", "panel.path": str(CARD)}) as box:
        wait_until(lambda: "kibitz-local" in display.planes(), 5, "the box's buffer is shown", detail=box.describe)
        assert box.status()["panel"]["fault"] is None, box.log()
        box.terminate()
        assert "kibitz-local" not in display.planes()


def test_without_a_display_it_is_told_and_the_room_goes_on(make_box):
    with make_box({"panel": "framebuffer"}) as box:
        wait_until(lambda: box.status()["panel"]["fault"] == "missing", 5, "status tells it", detail=box.describe)
        assert box.fetch("/api/room").status == 200
