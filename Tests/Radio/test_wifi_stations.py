"""Many phones at once, one too many, and everyone sent out by a rotation."""

from __future__ import annotations

import time

import pytest

from Rig.accesspoint import RadioBox
from Rig.waiting import wait_until
from Rig.wifi import IWD, WPASupplicant

PHONES = 21

WANTED = {"wpa2": "wpa2", "wpa3": "wpa3", "transition": "both"}


@pytest.mark.parametrize("box", ["wpa2", "wpa3"], indirect=True)
def test_twenty_phones_at_once(box, phones):
    ssid, passphrase, frequency = box.ssid, box.passphrase, box.frequency
    for _ in range(20):
        phones.new().begin(WPASupplicant, ssid, passphrase, WANTED[box.security], frequency=frequency)
    for phone in phones:
        phone.client.wait_connected(60)
        phone.lease()
    assert box.stations() == sorted(phone.hardware for phone in phones)
    assert len({phone.address for phone in phones}) == 20
    for phone, neighbour in zip(phones, [*phones[1:], phones[0]]):
        assert phone.ping(box.wifi_address, count=2) == 2
        assert phone.ping(neighbour.address, count=2) == 2


@pytest.mark.box
@pytest.mark.parametrize("security", ["wpa2", "wpa3"])
def test_one_too_many_is_refused_and_let_in_when_another_leaves(air, phones, security):
    with RadioBox(air, security, {"wifi.stations": 3, "panel": "terminal"}) as box:
        def begin():
            phones.new().begin(WPASupplicant, box.ssid, box.passphrase, WANTED[security], frequency=box.frequency)

        for _ in range(3):
            begin()
            phones[-1].client.wait_connected()
        begin()
        refused = wait_until(lambda: box.wifi()["refused"], 30, "the box tells who was refused", detail=box.describe)
        assert [entry["address"] for entry in refused] == [phones[3].hardware]
        assert "full" in refused[0]["reason"]
        full = "he Wi-Fi is full (3 of 3 phones)"
        shown = "Full: 3 of 3 phones."
        wait_until(lambda: shown in box.log().rpartition(box.link)[2], 10, "the panel says so below the link",
                   detail=box.describe)
        assert any(full in trouble for trouble in box.status()["trouble"])
        assert "Phones     3 of 3\n" in box.command("wifi").stdout
        assert box.stations() == sorted(phone.hardware for phone in phones[:3])
        for phone in phones[:3]:
            phone.lease()
            assert phone.ping(box.wifi_address) == 3
        phones[0].leave()
        phones[3].client.wait_connected(120)
        assert box.stations() == sorted(phone.hardware for phone in phones[1:])
        wait_until(lambda: shown not in box.log().rpartition(box.link)[2], 10, "the panel says that there is a place",
                   detail=box.describe)
        assert not any(full in trouble for trouble in box.status()["trouble"])


@pytest.mark.box
@pytest.mark.parametrize("box", ["wpa2", "wpa3", "transition"], indirect=True)
def test_a_rotation_sends_everyone_off_within_a_second_and_nobody_gets_back_with_the_old_passphrase(air, box, phones):
    former = (box.ssid, box.passphrase)
    for number in range(4):
        phone = phones.new()
        phone.begin(IWD, *former) if number == 3 else phone.begin(
            WPASupplicant, *former, WANTED[box.security], frequency=box.frequency)
    for phone in phones:
        phone.client.wait_connected(60)
    frequency = box.frequency
    began = time.monotonic()
    box.command("rotate")
    for phone in phones[:3]:
        phone.client.wait_event("CTRL-EVENT-DISCONNECTED", 5)
    assert time.monotonic() - began < 1
    assert not set(box.stations()) & {phone.hardware for phone in phones}
    box.wait_up()
    assert box.ssid != former[0] and box.passphrase != former[1]
    # The old name is gone, and under the new one the old passphrase is a wrong one.
    stranger = phones.new()
    stranger.begin(WPASupplicant, box.ssid, former[1], WANTED[box.security], frequency=frequency)
    stranger.client.wait_event("CTRL-EVENT-SSID-TEMP-DISABLED", 60)
    time.sleep(20)
    assert box.stations() == [] and not any(phone.client.connected for phone in phones)
    for phone in phones:
        phone.join(WPASupplicant, box.ssid, box.passphrase, WANTED[box.security], frequency=box.frequency)
        phone.lease()
        assert phone.ping(box.wifi_address) == 3
