"""Phones whose keys are gone, and frames in the name of phones whose keys are not."""

from __future__ import annotations

import time

import pytest

from Rig.frames import EAPOL, AirEar, Injector, management_frame, octets, snap
from Rig.wifi import WPASupplicant

PHONES = 2


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
    bss = phone.client.status()["bssid"]
    # A disassociation, an authentication as if it began anew, and a deauthentication.
    forged = [(10, b"\x08\0"), (11, b"\0\0\1\0\0\0"), (12, b"\3\0")]
    with air.sniff() as capture, Injector(stranger, box.frequency) as injector:
        for subtype, body in forged:
            injector.send(management_frame(subtype, bss, phone.hardware, body))
        time.sleep(5)
    assert len(capture.of(*(subtype for subtype, _ in forged))) >= 3, "they were on the air"
    assert phone.ping(box.wifi_address) == 3
    assert phone.client.connected and "DISCONNECTED" not in phone.client.program.log()
    assert box.stations() == [phone.hardware]


def payload(frame: bytes) -> bytes:
    """What a data frame holds, of quality of service or without."""
    return frame[26 if frame[0] & 0x80 else 24:]


@pytest.mark.parametrize("box, security", [("wpa3", "wpa3"), ("wpa2", "wpa2")], indirect=["box"])
def test_krack_cve_2017_13077_a_handshakes_answers_again_install_no_key_again(box, phones, security):
    """Key reinstallation (Vanhoef and Piessens, CCS 2017): a key that is installed again counts its packets from the
    beginning again, and what was encrypted under a number is then read by who has both."""
    phone, stranger = phones.new(), phones.new()
    with AirEar() as ear, Injector(stranger, box.frequency) as injector:
        join(box, phone, security)
        bss = phone.client.status()["bssid"]

        def numbers() -> list[int]:
            """The packet numbers of what the access point sent under this phone's key, in their order."""
            return [int.from_bytes(payload(frame)[:2] + payload(frame)[4:8], "little")
                    for frame in ear.frames if frame[0] & 0x0C == 0x08 and not frame[0] & 0x40 and frame[1] & 0x48 == 0x40
                    and frame[4:16] == octets(phone.hardware) + octets(bss)]

        answers = [frame for frame in ear.frames if frame[0] & 0x0C == 0x08 and not frame[1] & 0x40
                   and frame[4:16] == octets(bss) + octets(phone.hardware) and payload(frame).startswith(snap(EAPOL, b""))]
        assert len(answers) == 2, "the second message and the fourth"
        assert phone.ping(box.wifi_address) == 3
        before = numbers()
        assert len(before) >= 3
        for _ in range(5):
            for frame in (answers[1], *answers):
                injector.send(frame)
            assert phone.ping(box.wifi_address) == 3
        after = numbers()
        assert len(after) >= len(before) + 15 and after == sorted(set(after)), "no number came again"
        sent = [frame for frame in ear.frames if frame[4:16] == octets(phone.hardware) + octets(bss)
                and frame[0] & 0x0C == 0x08 and not frame[1] & 0x40 and payload(frame).startswith(snap(EAPOL, b""))]
        assert len(sent) == 2, "nor was any of the replays answered"
    assert phone.client.connected and box.stations() == [phone.hardware]
