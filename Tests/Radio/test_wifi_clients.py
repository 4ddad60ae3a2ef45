"""What phones run, wpa_supplicant (Android's) and iwd, on the box's Wi-Fi with each kind of security."""

from __future__ import annotations

import re

import pytest

from Rig.network import run
from Rig.waiting import wait_until
from Rig.wifi import IWD, WPASupplicant

PHONES = 3

WRONG = "not the passphrase"

# What the box offers, what the phone insists on, how SAE derives its element; then what they agree on and whether
# management frames are protected.
SUPPLICANTS = [
    ("wpa2", "wpa2", 2, "WPA2-PSK", False),
    ("wpa2", "pmf", 2, "WPA2-PSK", True),
    ("wpa2", "both", 2, "WPA2-PSK", True),
    ("wpa3", "wpa3", 1, "SAE", True),
    ("wpa3", "wpa3", 0, "SAE", True),
    ("wpa3", "both", 2, "SAE", True),
    ("transition", "wpa2", 2, "WPA2-PSK", False),
    ("transition", "pmf", 2, "WPA2-PSK", True),
    ("transition", "wpa3", 1, "SAE", True),
    ("transition", "wpa3", 0, "SAE", True),
    ("transition", "both", 2, "SAE", True),
]


def is_used(box, phone) -> None:
    """The phone gets an address, the box answers it, and counts it among its own."""
    phone.lease()
    assert phone.ping(box.wifi_address) == 3
    assert box.stations() == [phone.hardware]


@pytest.mark.parametrize("box, wanted, pwe, agreed, protected", SUPPLICANTS, indirect=["box"], ids=lambda value: str(value))
def test_wpa_supplicant(box, phone, wanted, pwe, agreed, protected):
    client = phone.join(WPASupplicant, box.ssid, box.passphrase, wanted, pwe=pwe, frequency=box.frequency)
    status = client.status()
    # With SHA-256 for one, which phones prefer, or without.
    assert status["key_mgmt"].removesuffix("-SHA256") == agreed
    assert status["pairwise_cipher"] == status["group_cipher"] == "CCMP"
    assert (status.get("pmf") in ("1", "2")) == protected
    if agreed == "SAE":
        assert status["sae_group"] == "19" and status["sae_h2e"] == ("0" if pwe == 0 else "1")
    is_used(box, phone)


@pytest.mark.parametrize("box", ["wpa3"], indirect=True)
@pytest.mark.parametrize("pwe", [0, 1])
def test_a_phone_that_would_rather_use_other_groups_of_sae(box, phone, pwe):
    """Its commits with groups 21 and 20 are refused, and with hash-to-element that these were is part of the key."""
    client = phone.begin(WPASupplicant, box.ssid, box.passphrase, "wpa3", pwe=pwe, frequency=box.frequency, waiting=True)
    assert client.command("SET sae_groups 21 20 19").startswith("OK")
    client.go()
    client.wait_connected()
    assert client.status()["sae_group"] == "19" and client.status()["sae_h2e"] == str(pwe)
    is_used(box, phone)


@pytest.mark.parametrize("box, agreed", [
    ("wpa2", "WPA2-Personal"), ("wpa3", "WPA3-Personal"), ("transition", "WPA3-Personal"),
], indirect=["box"])
def test_iwd(box, phone, agreed):
    client = phone.join(IWD, box.ssid, box.passphrase)
    assert client.status()["Security"].startswith(agreed)
    is_used(box, phone)


@pytest.mark.parametrize("box, agreed", [("wpa2", "WPA2-Personal"), ("transition", "WPA3-Personal")], indirect=["box"])
def test_iwd_that_insists_on_protected_management_frames(box, phone, agreed):
    client = phone.join(IWD, box.ssid, box.passphrase, settings="ManagementFrameProtection=2\n")
    assert client.status()["Security"].startswith(agreed)
    is_used(box, phone)
    flags = run("iw", "dev", box.interface, "station", "dump")
    assert re.search(r"MFP:\s+yes", flags), flags


@pytest.mark.box
@pytest.mark.parametrize("box", ["wpa2", "wpa3"], indirect=True)
def test_iwd_with_a_wrong_passphrase_and_then_with_the_right_one(box, phones):
    stranger, guest = phones.new(), phones.new()
    client = stranger.begin(IWD, box.ssid, WRONG)
    told = wait_until(lambda: [entry for entry in box.wifi()["refused"] if "passphrase" in entry["reason"]], 60,
                      "it was refused", detail=client.log)
    assert {entry["address"] for entry in told} == {stranger.hardware}
    guest.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    assert not client.connected and stranger.hardware not in box.stations()
    is_used(box, guest)
    stranger.join(IWD, box.ssid, box.passphrase)
    stranger.lease()
    assert stranger.ping(box.wifi_address) == 3
    assert box.stations() == sorted([guest.hardware, stranger.hardware])


@pytest.mark.parametrize("box, wanted", [("wpa2", "wpa2"), ("wpa3", "wpa3"), ("transition", "both")], indirect=["box"])
def test_a_wrong_passphrase_is_refused_and_the_right_one_then_is_not(box, phones, wanted):
    stranger, guest = phones.new(), phones.new()
    client = stranger.begin(WPASupplicant, box.ssid, WRONG, wanted, frequency=box.frequency)
    client.wait_event("CTRL-EVENT-SSID-TEMP-DISABLED", 60)
    assert not client.connected and stranger.hardware not in box.stations()
    guest.join(WPASupplicant, box.ssid, box.passphrase, wanted, frequency=box.frequency)
    is_used(box, guest)
    # The same phone, with the right one at last.
    stranger.join(WPASupplicant, box.ssid, box.passphrase, wanted, frequency=box.frequency)
    stranger.lease()
    assert stranger.ping(box.wifi_address) == 3
    assert box.stations() == sorted([guest.hardware, stranger.hardware])


@pytest.mark.box
@pytest.mark.parametrize("box, client, wanted", [
    ("wpa2", WPASupplicant, "wpa2"), ("wpa3", WPASupplicant, "wpa3"), ("wpa2", IWD, None), ("wpa3", IWD, None),
], indirect=["box"])
def test_the_owner_is_told_of_a_wrong_passphrase(box, phone, client, wanted):
    phone.begin(client, box.ssid, WRONG, **({"security": wanted, "frequency": box.frequency} if wanted else {}))
    told = wait_until(lambda: box.wifi()["refused"], 60, "the box tells who was refused", detail=box.describe)
    assert {entry["address"] for entry in told} == {phone.hardware}
    assert any("passphrase" in entry["reason"] for entry in told), told
    assert "passphrase" in box.command("wifi").stdout


@pytest.mark.parametrize("box", ["wpa2", "wpa3", "transition"], indirect=True)
def test_a_phone_that_comes_back_is_let_in_again(box, phone):
    client = phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    for _ in range(3):
        client.command("DISCONNECT")
        wait_until(lambda: not box.stations(), 10, "the box has seen it go")
        client.forget_events()
        client.command("RECONNECT")
        client.wait_connected()
        wait_until(lambda: box.stations() == [phone.hardware], 10, "the box has it back")
    # Neither said goodbye nor told the other: a phone that was restarted.
    client.program.process.kill()
    client = phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    is_used(box, phone)


@pytest.mark.parametrize("box", ["wpa3"], indirect=True)
def test_a_phone_that_comes_back_needs_no_new_sae(box, phone):
    """PMKSA caching: what both worked out once is good for the next time."""
    client = phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    client.command("DISCONNECT")
    wait_until(lambda: not box.stations(), 10, "the box has seen it go")
    client.command("RECONNECT")
    client.wait_connected()
    # SAE takes two exchanges; the second time there was one, without SAE.
    assert client.program.log().count("SME: Trying to authenticate") == 3
    assert client.status()["key_mgmt"] == "SAE"
    is_used(box, phone)


def test_two_kinds_of_phones_side_by_side_reach_each_other(box, phones):
    old, new, iwd = phones.new(), phones.new(), phones.new()
    old.join(WPASupplicant, box.ssid, box.passphrase, "wpa2", frequency=box.frequency)
    new.join(WPASupplicant, box.ssid, box.passphrase, "wpa3", frequency=box.frequency)
    iwd.join(IWD, box.ssid, box.passphrase)
    for phone in phones:
        phone.lease()
    for one in phones:
        for other in phones:
            assert one is other or one.ping(other.address, count=2) == 2
