"""GPIO lines of the rig's kernel (gpio-sim), named as on a box.

    with GPIO() as gpio:
        gpio.button.press(0.1)
        gpio["KIBITZ_DC"].value
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

from Rig.waiting import wait_until

CONFIGURATION = Path("/sys/kernel/config/gpio-sim")

PANEL_LINES = ("KIBITZ_DC", "KIBITZ_RESET", "KIBITZ_BUSY", "KIBITZ_BACKLIGHT")
LINES = (*PANEL_LINES, "KIBITZ_BUTTON", "KIBITZ_LED")
"""What a box may have, by the names its overlays give."""


class Line:
    """One line, as the world outside of the chip has it."""

    def __init__(self, folder: Path, name: str):
        self.name = name
        self._pull = folder / "pull"
        # Open, as it is looked at a thousand times a second.
        self._value = os.open(folder / "value", os.O_RDONLY)

    @property
    def value(self) -> int:
        """The voltage: what drives it, or what pulls it."""
        return int(os.pread(self._value, 4, 0))

    def pull(self, high: bool) -> None:
        """Drive it from outside."""
        self._pull.write_text("pull-up" if high else "pull-down")

    def close(self) -> None:
        os.close(self._value)

    # A button between the line and ground.

    def down(self, bounces: int = 0) -> None:
        """Press and hold; the contact opens again so many times."""
        self._close(True, bounces)

    def up(self, bounces: int = 0) -> None:
        """Let go; the contact closes again so many times."""
        self._close(False, bounces)

    def press(self, seconds: float = 0.1, bounces: int = 0) -> None:
        """Press, hold for so long, let go."""
        self.down(bounces)
        time.sleep(seconds)
        self.up(bounces)

    def _close(self, closed: bool, bounces: int) -> None:
        for bounce in range(2 * bounces + 1):
            if bounce:
                # gpio-sim tells of edges at the kernel's ticks only; what happens between two of them is lost.
                time.sleep(0.01)
            self.pull(closed == bool(bounce % 2))


class GPIO:
    """A chip with these lines, behind one that has others; both are gone at the end."""

    def __init__(self, names: tuple[str, ...] = LINES, *, label: str = "pinctrl-rig"):
        subprocess.run(["modprobe", "gpio-sim"], check=True)
        self.names = names
        self._device = CONFIGURATION / f"box-{time.monotonic_ns()}"
        self._banks = {"other": ("ID_SDA", "ID_SCL", "GPIO2"), "box": names}
        for bank, lines in self._banks.items():
            (self._device / bank).mkdir(parents=True)
            (self._device / bank / "label").write_text(f"{label}-{bank}")
            (self._device / bank / "num_lines").write_text(str(len(lines)))
            for offset, name in enumerate(lines):
                (self._device / bank / f"line{offset}").mkdir()
                (self._device / bank / f"line{offset}" / "name").write_text(name)
        (self._device / "live").write_text("1")
        self.chip = (self._device / "box" / "chip_name").read_text().strip()
        folder = Path("/sys/devices/platform") / (self._device / "dev_name").read_text().strip() / self.chip
        self.lines = {name: Line(folder / f"sim_gpio{offset}", name) for offset, name in enumerate(names)}
        wait_until((Path("/dev") / self.chip).exists, 5, f"/dev/{self.chip} is there", every=0.01)
        # Nobody presses the button.
        if "KIBITZ_BUTTON" in self.lines:
            self.button.pull(True)

    def __getitem__(self, name: str) -> Line:
        return self.lines[name]

    @property
    def button(self) -> Line:
        return self["KIBITZ_BUTTON"]

    def numbers(self, *names: str) -> list[int]:
        """The kernel's own numbers of these lines."""
        listing = Path("/sys/kernel/debug/gpio").read_text()
        base = int(re.search(rf"^{self.chip}: GPIOs (\d+)-", listing, re.M)[1])
        return [base + self.names.index(name) for name in names]

    def remove(self) -> None:
        """Take the chip away, whoever uses it."""
        for line in self.lines.values():
            line.close()
        (self._device / "live").write_text("0")
        for bank, lines in self._banks.items():
            for offset in range(len(lines)):
                (self._device / bank / f"line{offset}").rmdir()
            (self._device / bank).rmdir()
        self._device.rmdir()

    def __enter__(self) -> GPIO:
        return self

    def __exit__(self, *_) -> None:
        self.remove()
