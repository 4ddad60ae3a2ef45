"""Seven simulated days of phones that come, go, sleep and vanish, and of a new code every day: memory stays flat and nobody
is stuck. A quarter of an hour of the machine's time, so not one of the tests that run each time:

    RIG_LIMIT=3000 scripts/test radio Tests/Radio/week.py
"""

from __future__ import annotations

import contextlib
import os
import random
import time

import pytest

from Rig.wifi import WPASupplicant

pytestmark = pytest.mark.box

PHONES = 4
DAYS = float(os.environ.get("RIG_DAYS", "7"))
HOUR = 3600
SEED = int(os.environ.get("RIG_SEED", "0")) or random.randrange(1, 1 << 31)


class Guest:
    """What one phone does all day."""

    SECURITY = ("both", "wpa3", "wpa2", "pmf")

    def __init__(self, phone, box, chance: random.Random, number: int):
        self.phone, self.box, self.chance = phone, box, chance
        self.security = self.SECURITY[number % len(self.SECURITY)]

    def arrive(self) -> None:
        self.phone.air.tune_out(self.phone.phy, False)
        self.phone.join(WPASupplicant, self.box.ssid, self.box.passphrase, self.security, frequency=self.box.frequency)
        self.phone.lease()
        self.use()

    def use(self) -> None:
        assert self.phone.ping(self.box.wifi_address) == 3, f"seed {SEED}\n{self.phone.describe()}"

    def act(self) -> None:
        """Something that phones do."""
        if not self.phone.client:
            self.arrive()
            return
        deed = self.chance.choice(["use", "use", "sleep", "wake", "leave", "vanish", "corner", "restart"])
        if deed in ("sleep", "wake"):
            self.phone.run("iw", "dev", self.phone.radio, "set", "power_save", "on" if deed == "sleep" else "off")
        elif deed == "leave":
            self.phone.leave()
        elif deed == "vanish":
            self.phone.vanish()
            self.phone.leave()
        elif deed == "corner":
            with self.phone.out_of_range():
                time.sleep(self.chance.uniform(0.1, 120))
            self.phone.client.wait_connected(120)
            self.use()
        elif deed == "restart":
            self.phone.client.program.process.kill()
            self.arrive()
        else:
            self.phone.client.wait_connected(120)
            self.use()


def test_a_week(box, phones):
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    guests = [Guest(phones.new(), box, chance, number) for number in range(PHONES)]
    for guest in guests:
        guest.arrive()
    began, sizes = time.monotonic(), []
    next_rotation = 24 * HOUR
    while (elapsed := time.monotonic() - began) < DAYS * 24 * HOUR:
        time.sleep(chance.uniform(0, HOUR / 2))
        if elapsed >= next_rotation:
            next_rotation += 24 * HOUR
            box.rotate()
            for guest in guests:
                guest.phone.leave()
            sizes.append(box.rss())
        chance.choice(guests).act()
    for guest in guests:
        with contextlib.suppress(AssertionError):
            guest.phone.leave()
        guest.arrive()
    sizes.append(box.rss())
    print("resident memory after each day, kB:", [size // 1024 for size in sizes])
    # What is kept of past guests has its limits, and they are reached on the first days.
    if len(sizes) >= 4:
        assert max(sizes[2:]) < sizes[1] * 1.05 + 500_000, sizes
