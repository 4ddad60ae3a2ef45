"""Seven days of phones that come, go, sleep, walk away and rotate: memory stays flat and nobody is stuck.

A whole day costs the machine half a minute even when nothing happens, for what wakes the box. So the days of this test are
short, and as much happens in each as in a long one; the box's own part of seven whole days is in the tests of
`AccessPoint`. `RIG_DAY=86400 RIG_LIMIT=3600 scripts/test radio -s Tests/Radio/test_wifi_week.py` gives them their length.
"""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

import pytest

from Rig.waiting import wait_until
from Rig.wifi import WiFiPhone, WPASupplicant

pytestmark = pytest.mark.box

PHONES = 3
DAYS = 7
DAY = float(os.environ.get("RIG_DAY", "10800"))
"""Seconds."""

DEEDS = 12
"""What the phones do on a day, all together."""

SEED = int(os.environ.get("RIG_SEED", "7"))
RETURN_LIMIT = 150
"""Seconds within which a phone that was away for long is on again: it has to notice, to look around and to try."""


class Guest:
    """What one phone does all day."""

    SECURITY = ("both", "wpa3", "wpa2")

    def __init__(self, phone: WiFiPhone, box, number: int):
        self.phone, self.box = phone, box
        self.security = self.SECURITY[number % len(self.SECURITY)]

    def arrive(self) -> None:
        self.phone.air.tune_out(self.phone.phy, False)
        self.phone.join(WPASupplicant, self.box.ssid, self.box.passphrase, self.security, frequency=self.box.frequency)
        self.phone.lease()
        self.use()

    def use(self) -> None:
        """It is on the Wi-Fi, and the box answers it."""
        self.phone.client.wait_connected(RETURN_LIMIT)
        wait_until(lambda: self.phone.ping(self.box.wifi_address), RETURN_LIMIT, "the box answers",
                   detail=lambda: f"seed {SEED}\n{self.phone.describe()}\n{self.box.wifi()}")

    def act(self, chance: random.Random) -> None:
        """Something that phones do."""
        if not self.phone.client:
            return self.arrive()
        deed = chance.choice(("use", "sleep", "wake", "leave", "vanish", "walk", "restart"))
        if deed in ("sleep", "wake"):
            self.phone.run("iw", "dev", self.phone.radio, "set", "power_save", "on" if deed == "sleep" else "off")
            self.use()
        elif deed == "leave":
            self.phone.leave()
        elif deed == "vanish":
            self.phone.vanish()
            self.phone.leave()
        elif deed == "walk":
            with self.phone.out_of_range():
                time.sleep(chance.uniform(1, 100))
            self.use()
        elif deed == "restart":
            self.phone.client.program.process.kill()
            self.arrive()
        else:
            self.use()


def memory(pid: int) -> int:
    """What a process has for its data, in kB."""
    return int(re.search(r"^Pss_Anon:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])


def test_a_week(box, phones):
    chance = random.Random(SEED)
    guests = [Guest(phones.new(), box, number) for number in range(PHONES)]
    sizes = []
    for day in range(DAYS):
        began = time.monotonic()
        for moment in sorted(chance.uniform(0, 0.9 * DAY) for _ in range(DEEDS)):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            chance.choice(guests).act(chance)
        # In the evening everyone is there. Nobody is counted who is not.
        for guest in guests:
            guest.arrive()
        assert box.stations() == sorted(guest.phone.hardware for guest in guests), f"day {day}, seed {SEED}"
        time.sleep(max(0.0, began + DAY - time.monotonic()))
        sizes.append(memory(box.pid))
        print(f"{sizes[-1]} kB of data after day {day}", flush=True)
        former = box.ssid
        box.rotate()
        assert box.ssid != former and box.stations() == []
        for guest in guests:
            guest.phone.leave()
    # The first day makes what is kept for good.
    assert max(sizes[1:]) <= sizes[1] * 1.03 + 64, f"{sizes}, seed {SEED}"
    assert box.wifi()["starts"] == DAYS + 1
