"""Strangers who try a wrong passphrase again and again, never waiting for the end of an attempt."""

from __future__ import annotations

import threading
import time

from Rig.wifi import WiFiPhone, WPASupplicant

ATTEMPTS = 50
"""A second, of all strangers together."""


class Stranger:
    """One of them."""

    def __init__(self, phone: WiFiPhone, access_point, wanted: str, every: float):
        self.client = phone.begin(WPASupplicant, access_point.ssid, "not the passphrase", wanted,
                                  frequency=access_point.frequency, waiting=True)
        self.every = every
        self.words = "Associated with" if wanted == "wpa2" else "SME: Trying to authenticate"
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        due = time.monotonic()
        while not self.done.is_set():
            self.client.command("ENABLE_NETWORK 0")
            due += self.every
            self.done.wait(max(0.0, due - time.monotonic()))
            self.client.command("DISABLE_NETWORK 0")

    @property
    def attempts(self) -> int:
        """How often the access point had to judge: a handshake's second message, or a commit."""
        return self.client.program.log().count(self.words)


class Strangers:
    """All of them, for as long as the block runs."""

    def __init__(self, phones: list[WiFiPhone], access_point, wanted: str):
        # Some attempts begin too late.
        self.all = [Stranger(phone, access_point, wanted, len(phones) / ATTEMPTS * 0.8) for phone in phones]
        self.rate = 0.0
        """Attempts a second; known once it is over."""

    def __enter__(self) -> Strangers:
        self.began = time.monotonic()
        for stranger in self.all:
            stranger.thread.start()
        return self

    def __exit__(self, *_) -> None:
        for stranger in self.all:
            stranger.done.set()
        for stranger in self.all:
            stranger.thread.join()
        self.rate = self.attempts / (time.monotonic() - self.began)

    @property
    def attempts(self) -> int:
        """So far."""
        return sum(stranger.attempts for stranger in self.all)
