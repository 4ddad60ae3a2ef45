"""Phones whose keys are gone, and frames in the name of phones whose keys are not."""

from __future__ import annotations

import time

import pytest

from Rig.wifi import WPASupplicant

PHONES = 2

SEND = "import socket; air = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); air.bind(('monitor', 0)); air.send({!r})"
"""A frame put on the air as it is."""


def join(box, phone, security: str) -> None:
    phone.begin(WPASupplicant, box.ssid, box.passphrase, security, frequency=box.frequency)
    phone.client.wait_connected()
    phone.lease()


@pytest.mark.parametrize("box, security", [("wpa3", "wpa3"), ("wpa2", "wpa2")], indirect=["box"])
def test_a_phone_that_lost_its_keys_is_let_in_again(box, phone, security):
    """Where management frames are protected, it is asked for a second whether it is somebody else who wants its place."""
    join(box, phone, security)
    with phone.out_of_range():
        phone.leave()
    began = time.monotonic()
    join(box, phone, security)
    assert time.monotonic() - began < 2
    assert phone.ping(box.wifi_address) == 3


@pytest.mark.parametrize("box", ["wpa3"], indirect=True)
def test_nobody_else_can_say_goodbye_for_a_phone(air, box, phones):
    phone, stranger = phones.new(), phones.new()
    join(box, phone, "wpa3")
    stranger.run("iw", "phy", stranger.phy, "interface", "add", "monitor", "type", "monitor")
    stranger.run("ip", "link", "set", "monitor", "up")
    stranger.run("iw", "dev", "monitor", "set", "freq", str(box.frequency))
    bss, victim = (bytes.fromhex(address.replace(":", ""))
                   for address in (phone.client.status()["bssid"], phone.hardware))
    # A disassociation, an authentication as if it began anew, and a deauthentication.
    forged = [(0xA0, b"\x08\0"), (0xB0, b"\0\0\1\0\0\0"), (0xC0, b"\3\0")]
    with air.sniff() as capture:
        for subtype, body in forged:
            frame = bytes([subtype, 0, 0, 0]) + bss + victim + bss + b"\x50\0" + body
            stranger.run("python3", "-c", SEND.format(b"\0\0\x08\0\0\0\0\0" + frame))
        time.sleep(5)
    assert len(capture.of(*(subtype >> 4 for subtype, _ in forged))) >= 3, "they were on the air"
    assert phone.ping(box.wifi_address) == 3
    assert phone.client.connected and "DISCONNECTED" not in phone.client.program.log()
    assert box.stations() == [phone.hardware]
