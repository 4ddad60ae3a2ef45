"""The SPI bus of the rig's kernel (Tests/Rig/kernel/spi-sim.c): `/dev/spidev0.0` for the box, and what it sends there.

    with GPIO() as gpio, SPI(gpio) as bus:
        list(bus.transfers())
"""

from __future__ import annotations

import os
import select
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from Rig.gpio import GPIO
from Rig.waiting import wait_until

DEVICE = Path("/dev/spidev0.0")
TAP = Path("/dev/spitap0")
RECORD = struct.Struct("<QIIIIBB")
"""`struct record` of spi-sim.c."""

SAMPLED = ("KIBITZ_DC", "KIBITZ_RESET")


class Transfer(NamedTuple):
    """One transfer, with the levels that the panel saw while it was made."""

    time: float
    """Seconds, CLOCK_MONOTONIC."""
    data: bool
    """Whether D/C was high."""
    reset: bool
    """Whether RESET was low, and the panel deaf."""
    octets: bytes
    hertz: int
    mode: int


class SPI:
    """A bus with one device; gone at the end."""

    def __init__(self, gpio: GPIO | None = None):
        lines = [name for name in SAMPLED if gpio and name in gpio.names]
        numbers = ",".join(map(str, gpio.numbers(*lines))) if lines else ""
        self._bits = {name: 1 << bit for bit, name in enumerate(lines)}
        subprocess.run(["modprobe", "spi-sim", *([f"gpios={numbers}"] if numbers else [])], check=True)
        wait_until(lambda: DEVICE.exists() and TAP.exists(), 5, f"{DEVICE} is there", every=0.01)
        self._tap = os.open(TAP, os.O_RDONLY | os.O_NONBLOCK)
        self._unread = b""

    @property
    def limit(self) -> int:
        """Octets of the longest transfer that the driver takes."""
        return int(Path("/sys/module/spidev/parameters/bufsiz").read_text())

    def lockstep(self, on: bool) -> None:
        """Make each transfer end only when what it does to other lines is done: `transfers()` was called after it, and
        again."""
        Path("/sys/module/spi_sim/parameters/lockstep").write_text("Y" if on else "N")

    def wait(self, timeout: float) -> bool:
        """Wait for a transfer. Whether there was one."""
        return bool(select.select([self._tap], [], [], timeout)[0])

    def fail(self, fails: bool = True) -> None:
        """Make every transfer fail, or succeed again."""
        Path("/sys/module/spi_sim/parameters/fails").write_text("Y" if fails else "N")

    def transfers(self) -> Iterator[Transfer]:
        """What was sent since the last call. In lockstep the box goes on when all of it was looked at."""
        while True:
            try:
                self._unread += os.read(self._tap, 1 << 20)
            except BlockingIOError:
                return
            while (transfer := self._next()) is not None:
                yield transfer

    def _next(self) -> Transfer | None:
        if len(self._unread) < RECORD.size:
            return None
        nanoseconds, length, hertz, mode, dropped, gpios, _ = RECORD.unpack_from(self._unread)
        end = RECORD.size + length
        if len(self._unread) < end:
            return None
        assert dropped == 0, f"{dropped} transfers were lost: read more often"
        octets, self._unread = self._unread[RECORD.size:end], self._unread[end:]
        return Transfer(
            nanoseconds / 1e9, bool(gpios & self._bits.get("KIBITZ_DC", 0)),
            "KIBITZ_RESET" in self._bits and not gpios & self._bits["KIBITZ_RESET"], octets, hertz, mode)

    def __enter__(self) -> SPI:
        return self

    def __exit__(self, *_) -> None:
        os.close(self._tap)
        subprocess.run(["modprobe", "-r", "spi-sim"], check=True)
