"""A display that the kernel drives (vkms), as HDMI is: `/dev/fb0` and `/dev/dri/card0`, and what is on it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from PIL import Image

from Rig.waiting import wait_until

FRAMEBUFFER = Path("/dev/fb0")
CARD = Path("/dev/dri/card0")


class Display:
    """One display; gone at the end."""

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
        octets = FRAMEBUFFER.read_bytes()
        return Image.frombuffer("RGB", self.size, octets[:self.stride * self.size[1]], "raw", "BGRX", self.stride, 1)

    def planes(self) -> str:
        """Who shows what, in the kernel's words (debugfs)."""
        return Path("/sys/kernel/debug/dri/0/state").read_text()

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_) -> None:
        subprocess.run(["modprobe", "-r", "vkms"], check=True)
