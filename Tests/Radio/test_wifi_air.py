"""What is on the air: beacons as the standard has them, and nobody's data in the clear."""

from __future__ import annotations

import time

import pytest
from conftest import ACCESS_POINT

from Rig.waiting import wait_until
from Rig.wifi import WPASupplicant

PHONES = 2

PROBE_RESPONSE, BEACON, DEAUTHENTICATION = 5, 8, 12

COUNTRY = "GB"
PSK, PSK_SHA256, SAE = "2", "6", "8"
CCMP, BIP_CMAC = "4", "6"


@pytest.mark.parametrize("channel", [6, 36])
@pytest.mark.parametrize("security, managements, required", [
    ("wpa2", {PSK, PSK_SHA256}, "0"), ("transition", {PSK, PSK_SHA256, SAE}, "0"), ("wpa3", {SAE}, "1"),
])
def test_beacons_and_answers_to_probes_are_well_formed_and_say_what_is_so(
        air, phones, channel, security, managements, required):
    with ACCESS_POINT(air, security, {"wifi.channel": channel}) as box:
        assert box.frequency == {6: 2437, 36: 5180}[channel]
        is_well_formed(air, box, phones.new(), channel, managements, required)


def is_well_formed(air, box, phone, channel, managements, required) -> None:
    ssid = box.ssid
    with air.sniff() as capture:
        # A directed probe for its name, and one for anyone's.
        phone.run("ip", "link", "set", phone.radio, "up")
        phone.run("iw", "dev", phone.radio, "scan", "freq", str(box.frequency), "ssid", ssid, "ssid", "")
        time.sleep(0.5)  # five beacons
    assert capture.malformed == []
    for kind in (BEACON, PROBE_RESPONSE):
        frames = capture.of(kind)
        assert frames, f"none of type {kind} was on the air"

        def only(field: str) -> list[str]:
            found = {tuple(frame[field]) for frame in frames}
            assert len(found) == 1, (kind, field, found)
            return list(found.pop())

        assert only("wlan.ssid") == [ssid.encode().hex()]
        assert only("wlan.fixed.capabilities.privacy") == ["1"]
        assert only("wlan.rsn.version") == ["1"]
        assert only("wlan.rsn.gcs.type") == [CCMP] and only("wlan.rsn.pcs.type") == [CCMP]
        offered = set(only("wlan.rsn.akms.type"))
        assert offered <= managements and offered & {PSK, SAE} == managements & {PSK, SAE}
        assert only("wlan.rsn.capabilities.mfpc") == ["1"] and only("wlan.rsn.capabilities.mfpr") == [required]
        assert only("wlan.rsn.gmcs.type") in ([], [BIP_CMAC])
        assert only("wlan.fixed.beacon") == ["100"]
        assert only("wlan.ds.current_channel") in ([str(channel)], [] if channel > 14 else None)
        assert only("wlan.ht.info.primarychannel") == [str(channel)]
        assert only("wlan.country_info.code") == [COUNTRY]
        tags = [int(number) for number in only("wlan.tag.number")]
        once = [number for number in tags if number not in (221, 255)]  # vendors', and extensions'
        assert len(once) == len(set(once)), f"an element stands there twice: {tags}"
        # Support and operation of 802.11n, and quality of service, which that needs.
        assert {45, 61} <= set(tags) and 221 in tags
        if channel > 14:
            assert {191, 192} <= set(tags), "802.11ac, which the radio has"
        if SAE in managements:
            assert only("wlan.rsnx.sae_hash_to_element") == ["1"]


@pytest.mark.parametrize("box, wanted", [("wpa2", "wpa2"), ("transition", "both")], indirect=["box"])
def test_what_phones_say_to_each_other_and_to_the_box_is_encrypted(air, box, phones, wanted):
    ssid, passphrase = box.ssid, box.passphrase
    with air.sniff((ssid, passphrase)) as capture:
        for _ in range(2):
            phone = phones.new()
            phone.join(WPASupplicant, ssid, passphrase, wanted, frequency=box.frequency)
            phone.lease()
        assert phones[0].ping(box.wifi_address, count=5) == 5
        assert phones[0].ping(phones[1].address, count=5) == 5
        assert phones[1].ping(phones[0].address, count=5) == 5
    assert capture.malformed == []
    assert len(capture.data) > 30
    # EAPOL goes before there is a key; nothing else.
    assert [frame for frame in capture.data if not frame.protected and "eapol" not in frame.protocols] == []
    # No two frames of one sender to one receiver have the same packet number: no key was used twice from its beginning.
    seen = [(frame["wlan.ta"][0], frame["wlan.ra"][0], frame["wlan.ccmp.extiv"][0]) for frame in capture.data
            if frame.protected and frame["wlan.fc.retry"] in (["0"], ["False"])]
    assert len(seen) > 30 and len(seen) == len(set(seen))
    read = [frame for frame in capture.frames if frame["icmp.type"]]
    if wanted == "wpa2":
        # Who knows the passphrase and heard the handshake reads along: so it was that key, and these frames were whole.
        assert len(read) >= 30 and {frame["icmp.type"][0] for frame in read} == {"0", "8"}
    else:
        assert read == [], "with SAE the passphrase opens nothing"


def test_a_goodbye_is_encrypted_where_management_frames_are_protected(air, box, phone):
    client = phone.join(WPASupplicant, box.ssid, box.passphrase, "wpa3", frequency=box.frequency)
    with air.sniff() as capture:
        client.command("DISCONNECT")
        wait_until(lambda: not box.stations(), 10, "the box has seen it go")
    goodbyes = [frame for frame in capture.of(DEAUTHENTICATION) if frame["wlan.ta"] == [phone.hardware]]
    assert goodbyes and all(frame.protected for frame in goodbyes)


@pytest.mark.parametrize("security, wanted", [("wpa2", "wpa2"), ("wpa3", "wpa3")])
def test_the_groups_key_changes_under_traffic(air, phones, security, wanted):
    with ACCESS_POINT(air, security, {"wifi.rekey": 2}) as box:
        for _ in range(2):
            phone = phones.new()
            phone.join(WPASupplicant, box.ssid, box.passphrase, wanted, frequency=box.frequency)
            phone.lease()
        first, second = phones
        first.client.forget_events()
        # Broadcasts are what the group's key is for; the answers come by the pairwise one.
        first.run("sh", "-c", f"ip neigh flush dev {first.radio}")
        broadcast = f"{first.address.rpartition('.')[0]}.255"
        pinging = [
            first.start("ping", "-n", "-i", "0.05", "-c", "200", second.address),
            first.start("ping", "-n", "-i", "0.05", "-c", "200", box.wifi_address),
        ]
        second.run("sysctl", "-qw", "net.ipv4.icmp_echo_ignore_broadcasts=0")
        heard = first.run("ping", "-n", "-b", "-i", "0.05", "-c", "200", "-W", "2", broadcast, check=False).stdout
        for program in pinging:
            program.process.wait(30)
            assert "200 received" in program.log(), program.log()[-300:]
        assert "200 received" in heard, heard[-300:]
        # In ten seconds: four times at least.
        for phone in phones:
            assert phone.client.program.log().count("WPA: Group rekeying completed") >= 4
            assert phone.client.connected
