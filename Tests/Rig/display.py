"""A display that the kernel drives (vkms), as HDMI is: `/dev/fb0` and `/dev/dri/card0`, and what is on it."""

from __future__ import annotations

import fcntl
import mmap
import os
import re
import struct
import subprocess
from pathlib import Path

from PIL import Image

from Rig.waiting import wait_until

FRAMEBUFFER = Path("/dev/fb0")
CARD = Path("/dev/dri/card0")


def _iowr(number: int, size: int) -> int:
    """A request of DRM that writes and reads so many octets (ioctl.h)."""
    return 3 << 30 | size << 16 | ord("d") << 8 | number


class Display:
    """One display. It stays: taking it away hangs this kernel once someone has drawn by `/dev/fb0`."""

    def __init__(self):
        subprocess.run(["modprobe", "vkms"], check=True)
        wait_until(lambda: FRAMEBUFFER.exists() and CARD.exists(), 5, f"{FRAMEBUFFER} is there", every=0.01)
        graphics = Path("/sys/class/graphics/fb0")
        width, height = (graphics / "virtual_size").read_text().split(",")
        self.size = int(width), int(height)
        self.stride = int((graphics / "stride").read_text())
        assert (graphics / "bits_per_pixel").read_text().strip() == "32"

    def picture(self) -> Image.Image:
        """What the framebuffer has."""
        return self._image(FRAMEBUFFER.read_bytes(), self.stride)

    def scanned_out(self) -> Image.Image | None:
        """What the screen shows by DRM: the buffer that a program has given it; None while that is the console's."""
        state = Path("/sys/kernel/debug/dri/0/state").read_text()
        found = re.search(r"^\tfb=([1-9]\d*)\n\t\tallocated by = (.*)$", state, re.M)
        if not found or found[2] == "[fbcon]":
            return None
        card = os.open(CARD, os.O_RDWR)
        try:
            # struct drm_mode_fb_cmd and struct drm_mode_map_dumb (drm_mode.h): the buffer's handle, and where to map it.
            frame = fcntl.ioctl(card, _iowr(0xAD, 28), struct.pack("=7I", int(found[1]), *6 * [0]))
            _, width, height, pitch, _, _, handle = struct.unpack("=7I", frame)
            assert (width, height) == self.size
            _, _, offset = struct.unpack("=2IQ", fcntl.ioctl(card, _iowr(0xB3, 16), struct.pack("=2IQ", handle, 0, 0)))
            with mmap.mmap(card, pitch * height, offset=offset) as memory:
                return self._image(memory[:], pitch)
        finally:
            os.close(card)

    def _image(self, octets: bytes, stride: int) -> Image.Image:
        return Image.frombytes("RGB", self.size, octets[:stride * self.size[1]], "raw", "BGRX", stride, 1)
