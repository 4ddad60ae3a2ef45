"""Wrong passphrases at 50 a second leave others unaffected."""

from __future__ import annotations

import re
import statistics
import threading
import time

import pytest

from Rig.wifi import WiFiPhone, WPASupplicant

PHONES = 27
STRANGERS = 25
ATTEMPTS = 50
"""A second, of all strangers together."""

SECONDS = 10


class Stranger:
    """Tries a wrong passphrase again and again, never waiting for the end of an attempt."""

    def __init__(self, phone: WiFiPhone, box, wanted: str):
        self.client = phone.begin(WPASupplicant, box.ssid, "not the passphrase", wanted, frequency=box.frequency,
                                  waiting=True)
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        due = time.monotonic()
        while not self.done.is_set():
            self.client.command("ENABLE_NETWORK 0")
            due += STRANGERS / ATTEMPTS * 0.8  # some attempts begin too late
            self.done.wait(max(0.0, due - time.monotonic()))
            self.client.command("DISABLE_NETWORK 0")

    def attempts(self, wanted: str) -> int:
        """How often the box had to judge: a handshake's second message, or a commit."""
        words = "Associated with" if wanted == "wpa2" else "SME: Trying to authenticate"
        return self.client.program.log().count(words)


@pytest.mark.parametrize("box, wanted", [("wpa2", "wpa2"), ("wpa3", "wpa3")], indirect=["box"])
def test_others_are_unaffected(box, phones, wanted):
    guest, late = phones.new(), phones.new()
    guest.join(WPASupplicant, box.ssid, box.passphrase, wanted, frequency=box.frequency)
    guest.lease()
    strangers = [Stranger(phones.new(), box, wanted) for _ in range(STRANGERS)]
    pinging = guest.start("ping", "-n", "-i", "0.05", "-c", str(20 * SECONDS), box.wifi_address)
    for stranger in strangers:
        stranger.thread.start()
    began = time.monotonic()
    try:
        time.sleep(SECONDS / 2)
        joining = time.monotonic()
        late.join(WPASupplicant, box.ssid, box.passphrase, wanted, frequency=box.frequency)
        late.lease()
        took = time.monotonic() - joining
        pinging.process.wait(60)
        time.sleep(max(0, began + SECONDS - time.monotonic()))
    finally:
        for stranger in strangers:
            stranger.done.set()
        for stranger in strangers:
            stranger.thread.join()
    times = [float(value) for value in re.findall(r"time=([\d.]+) ms", pinging.log())]
    elapsed = time.monotonic() - began
    attempts = sum(stranger.attempts(wanted) for stranger in strangers)
    told = f"{attempts} attempts in {elapsed:.1f} s; pings: {len(times)} of {20 * SECONDS} came back"
    assert attempts >= 0.9 * ATTEMPTS * elapsed, told
    assert len(times) >= 20 * SECONDS - 2, told
    # No time passes here while anyone computes. What shows is a table that is full, or somebody who is made to wait.
    assert statistics.quantiles(times, n=20)[-1] < 20 and max(times) < 200, told
    assert took < 3
    assert guest.client.connected and "DISCONNECTED" not in guest.client.program.log()
    assert box.stations() == sorted([guest.hardware, late.hardware])
