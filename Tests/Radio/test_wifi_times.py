"""How long people wait for codes on a box with a Wi-Fi of its own and a panel, by the machine's own clock: elsewhere in the
rig no time passes while a program computes."""

from __future__ import annotations

import statistics
import time

import pytest

from Rig.accesspoint import RadioBox
from Rig.waiting import wait_until

pytestmark = pytest.mark.box

REAL_TIME = True

PHONES = 0

GLASS = {"model": "st7789-240x320", "hertz": 62_500_000}
TIMES = 5

SLOWNESS = 4
"""How much longer this kernel may take than a machine of its own, whatever else goes on there: its system calls are slow."""


def test_the_first_codes_and_new_ones_come_in_time(air, glass, gpio):
    first, new = [], []
    with RadioBox(air, config={"panel": GLASS["model"], "button.enabled": True}, start=False) as box:
        for _ in range(TIMES):
            box.launch()
            # This kernel has one processor, and who asks whether the box is ready takes it away.
            time.sleep(2)
            box.wait_up()
            first.append(wait_until(lambda: box.status()["panel"]["firstCodes"], 10, "codes are shown", detail=box.describe))
            wait_until(glass.settled, 10, "they are to be seen", detail=box.describe)
            link, sent = box.link, len(glass.transfers)
            gpio.button.press(0.1)
            let_go = time.monotonic()
            time.sleep(2)
            assert box.link != link
            assert any(code == box.link or box.ssid in code for code in glass.codes()), box.describe()
            new.append((glass.transfers[-1].time - let_go) * 1000)
            assert len(glass.transfers) > sent
            box.terminate()
    print(f"first codes after {first} ms, new ones after {[round(time) for time in new]} ms")
    # The very first start of a box makes its keys.
    assert statistics.median(first) < 150 * SLOWNESS
    assert statistics.median(new) < 300 * SLOWNESS
