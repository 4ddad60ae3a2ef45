"""A simulated panel (Tests/Support/PanelSimulator) at the end of the rig's real SPI bus and GPIO lines: it takes what
the kernel's spidev was given, drives BUSY, and shows its picture.

    with GPIO() as gpio, SPI(gpio) as bus, Glass("ssd1680-296x128", gpio, bus) as glass:
        glass.picture()
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from PIL import Image, ImageChops

from Rig.box import ROOT, Box
from Rig.gpio import GPIO
from Rig.spi import SPI

LOOK = 0.0015
"""Seconds between two looks at the RESET line: e-papers are held in reset for 2 ms."""


def decoder() -> Path:
    """The simulators' executable: `KIBITZ_PANEL_DECODE`, else the debug build."""
    return Path(os.environ.get("KIBITZ_PANEL_DECODE") or ROOT / ".build/debug/kibitz-panel-decode").resolve()


class Glass:
    """One panel. `busy_level` is what its BUSY line is at while it is busy, None for a panel without one; `stuck`
    makes it busy for ever. With `takes_time` a transfer takes as long as its bits do at its clock; else none."""

    def __init__(self, model: str, gpio: GPIO, bus: SPI, *, hertz: int, accent: str | None = None,
                 busy_level: bool | None = None, stuck: bool = False, takes_time: bool = False):
        self.model = model
        self.hertz = hertz
        self.gpio = gpio
        self.bus = bus
        self.transfers: list = []
        """Everything that came over the bus."""
        self.busy_times: list[tuple[float, float]] = []
        """When BUSY was held, and let go."""
        self.resets: list[tuple[float, bool]] = []
        """When the panel was held in reset, and when no more."""
        self._busy_level = busy_level
        self._stuck = stuck
        self._takes_time = takes_time
        self._directory = Path(tempfile.mkdtemp(prefix="kibitz-glass-"))
        self._decoder = subprocess.Popen(
            [str(decoder()), model, str(hertz), *([accent] if accent else [])], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1)
        self._lock = threading.Lock()
        self._in_reset = False
        self._busy_until: float | None = None
        self._ended = False
        self._failure: BaseException | None = None
        self._drive_busy(stuck)
        if busy_level is not None or takes_time:
            bus.lockstep(True)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        # A kernel that just started has no fine timers before its first tick.
        time.sleep(0.02)

    # What it is asked

    def picture(self) -> Image.Image:
        """What a person sees now."""
        path = self._directory / "picture.ppm"
        with self._lock:
            self._look()
            if self._busy_level is None and "KIBITZ_BACKLIGHT" in self.gpio.names:
                self._ask(f"backlight {'on' if self.gpio['KIBITZ_BACKLIGHT'].value else 'off'}")
            assert self._ask(f"picture {time.monotonic_ns()} {path}") == "written"
        with Image.open(path) as image:
            return image.convert("RGB")

    def violations(self) -> str:
        """What was done against the datasheet; empty is well."""
        with self._lock:
            self._look()
            return self._ask("violations")

    def settled(self) -> bool:
        """Whether nothing is on its way: not busy, and no transfer for a while."""
        with self._lock:
            self._look()
            last = self.transfers[-1].time if self.transfers else 0.0
            return bool(self.transfers) and self._busy_until is None and time.monotonic() - last > 0.3

    def describe(self) -> str:
        sent = [f"{t.time:.4f} {'data' if t.data else 'command'} {t.octets[:16].hex()} ({len(t.octets)})"
                for t in self.transfers[-60:]]
        return "\n".join([f"resets {self.resets}", f"busy {self.busy_times}", *sent])

    def codes(self) -> list[str]:
        """What a phone's camera reads from it."""
        path = self._directory / "picture.png"
        picture = self.picture()
        # A panel of 2 device pixels a module is small, and a camera near it.
        picture.resize((picture.width * 3, picture.height * 3)).save(path)
        found = subprocess.run(["zbarimg", "--raw", "--quiet", str(path)], capture_output=True, text=True, timeout=20)
        return found.stdout.split()

    def unstick(self) -> None:
        """Is busy no more than it must be."""
        with self._lock:
            self._stuck = False
            self._drive_busy(False)

    # What it does

    def _run(self) -> None:
        try:
            while not self._ended:
                self.bus.wait(LOOK)
                with self._lock:
                    self._look()
        except BaseException as error:
            self._failure = error

    def _look(self) -> None:
        if self._failure:
            raise self._failure
        # The line is asked first: it is let go before the next transfer, and held after the last.
        in_reset = "KIBITZ_RESET" in self.gpio.names and not self.gpio["KIBITZ_RESET"].value
        if in_reset != self._in_reset:
            self._in_reset = in_reset
            self.resets.append((time.monotonic(), in_reset))
            self._follow(self._ask(f"reset {time.monotonic_ns()} {'on' if in_reset else 'off'}"))
        for transfer in self.bus.transfers():
            self.transfers.append(transfer)
            if self._takes_time:
                # It ends when the next is asked for.
                time.sleep(8 * len(transfer.octets) / transfer.hertz)
            kind = "data" if transfer.data else "command"
            self._follow(self._ask(f"transfer {round(transfer.time * 1e9)} {kind} {transfer.octets.hex()}"))
        if self._busy_until is not None and time.monotonic() >= self._busy_until:
            self.busy_times[-1] = (self.busy_times[-1][0], time.monotonic())
            self._busy_until = None
        # Each time: gpio-sim takes a resistor that the box asks for as stronger than what drives the line.
        self._drive_busy(self._stuck or self._busy_until is not None)

    def _follow(self, answer: str) -> None:
        word, _, until = answer.partition(" ")
        if word == "busy":
            if self._busy_until is None:
                self.busy_times.append((time.monotonic(), 0.0))
            self._busy_until = int(until) / 1e9
            self._drive_busy(True)

    def _drive_busy(self, busy: bool) -> None:
        if self._busy_level is not None and self.gpio["KIBITZ_BUSY"].value != (busy == self._busy_level):
            self.gpio["KIBITZ_BUSY"].pull(busy == self._busy_level)

    def _ask(self, line: str) -> str:
        self._decoder.stdin.write(line + "\n")
        self._decoder.stdin.flush()
        answer = self._decoder.stdout.readline()
        assert answer, f"the simulator ended at: {line[:200]}"
        return answer.strip()

    def __enter__(self) -> Glass:
        return self

    def __exit__(self, *_) -> None:
        self._ended = True
        self._thread.join()
        self.bus.lockstep(False)
        self._decoder.stdin.close()
        self._decoder.wait(10)
        shutil.rmtree(self._directory, ignore_errors=True)


def shown(box: Box) -> Image.Image:
    """What a box says its panel shows."""
    answer = box.fetch("/panel.png")
    assert answer.status == 200, answer.text
    with Image.open(io.BytesIO(answer.body)) as picture:
        return picture.convert("RGB")


def reduced(picture: Image.Image) -> Image.Image:
    """In the colours of a TFT: 5, 6 and 5 bits."""
    masks = (0xF8, 0xFC, 0xF8)
    return picture.point([value & mask for mask in masks for value in range(256)])


def same(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures are so pixel by pixel, as far as a TFT can tell."""
    return one.size == other.size and ImageChops.difference(reduced(one), reduced(other)).getbbox() is None
