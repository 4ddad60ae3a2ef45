"""What the box offers and tells: with no country set, 802.11ax, and of each phone its signal and rate."""

from __future__ import annotations

import json
import re
import time

import pytest

from Rig.accesspoint import RadioBox
from Rig.network import run
from Rig.waiting import wait_until
from Rig.wifi import IWD, WPASupplicant

PHONES = 1

BEACON, ASSOCIATION_REQUEST, ASSOCIATION_RESPONSE = 8, 0, 1

HE_CAPABILITIES, HE_OPERATION = "35", "36"
"""Numbers of extended elements (IEEE 802.11ax, 9.4.2.1)."""


# The country


@pytest.mark.box
def test_without_a_country_it_uses_what_is_legal_everywhere_and_says_so(air, phones):
    run("iw", "reg", "set", "00")
    phone = phones.new()
    with RadioBox(air, config={"country": None, "panel": "terminal"}) as box:
        told = box.wifi()
        # Channels 1 to 11 (IEEE 802.11, and the kernel's own rules for country 00: no radiation above 12 without being asked).
        assert 2412 <= told["frequency"] <= 2462, told
        said = [trouble for trouble in box.status()["trouble"] if "country" in trouble]
        assert said, box.status()["trouble"]
        assert "country" in box.command("wifi").stdout
        assert json.loads(box.command("wifi", "--json").stdout) == told, "the tests ask as the command does"
        wait_until(lambda: "country" in box.log().rpartition(box.link)[2], 10, "the panel says so", detail=box.describe)
        phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
        phone.lease()
        assert phone.ping(box.wifi_address) == 3
        with air.sniff() as capture:
            time.sleep(0.5)
        # A beacon that named a country would make phones believe it.
        assert {tuple(frame["wlan.country_info.code"]) for frame in capture.of(BEACON)} == {()}


@pytest.mark.box
def test_a_country_that_another_program_sets(air, phone):
    """Where the channel is not allowed by the rules of both, the kernel ends the access point after a minute."""
    with RadioBox(air, config={"wifi.channel": 13}) as box:
        assert box.wifi()["channel"] == 13 and box.wifi()["country"] == "GB"
        run("iw", "reg", "set", "US")
        wait_until(lambda: box.wifi()["starts"] > 1, 100, "the kernel has ended it", detail=box.wifi)
        box.wait_up()
        assert (told := box.wifi())["channel"] == 13 and told["country"] == "GB" and told["trouble"] is None, told
        phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
        time.sleep(100)
        assert box.wifi()["starts"] == told["starts"] and phone.client.connected


# 802.11ax


@pytest.mark.parametrize("channel", [6, 36])
def test_a_phone_and_the_box_speak_80211ax(air, phone, channel):
    radio = run("iw", "phy", air.phy(air.radios[0]), "info")
    assert "HE Iftypes: AP" in radio or "HE PHY Capabilities" in radio, "the simulated radio has 802.11ax"
    with RadioBox(air, config={"wifi.channel": channel}) as box, air.sniff() as capture:
        phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
        phone.lease()
        assert phone.ping(box.wifi_address) == 3
        link = phone.run("iw", "dev", phone.radio, "link").stdout
        status = phone.client.status()
    assert status.get("wifi_generation") == "6", status
    assert "HE" in link or "MBit/s" in link
    for kind, wanted in (
        (BEACON, {HE_CAPABILITIES, HE_OPERATION}), (ASSOCIATION_REQUEST, {HE_CAPABILITIES}),
        (ASSOCIATION_RESPONSE, {HE_CAPABILITIES, HE_OPERATION}),
    ):
        frames = capture.of(kind)
        assert frames, f"none of type {kind} was on the air"
        for frame in frames:
            assert wanted <= set(frame["wlan.ext_tag.number"]), (kind, frame)
    assert capture.malformed == []


# Signal and rate


@pytest.mark.box
@pytest.mark.parametrize("client", [WPASupplicant, IWD])
def test_the_owner_sees_each_phones_signal_and_rate(box, phone, client):
    phone.join(client, box.ssid, box.passphrase)
    phone.lease()
    # A rate is chosen with the first frames.
    assert phone.ping(box.wifi_address, count=20, interval=0.05) == 20
    (station,) = wait_until(lambda: [entry for entry in box.wifi()["stations"] if entry.get("rate")], 10,
                            "the box knows the phone's rate", detail=box.wifi)
    dump = run("iw", "dev", box.interface, "station", "dump")
    signal = int(re.search(r"signal:\s+(-\d+)", dump)[1])
    assert station["address"].lower() == phone.hardware
    assert station["signal"] == signal and -100 < signal < 0
    rates = [float(rate) for rate in re.findall(r"bitrate:\s+([\d.]+) MBit/s", dump)]
    assert any(abs(station["rate"] - rate) <= 1 for rate in rates), (station, dump)
    shown = box.command("wifi").stdout
    line, *others = [line for line in shown.splitlines() if phone.hardware in line.lower()]
    assert others == [], shown
    assert f"{signal} dBm" in line and re.search(r"\d+(\.\d+)? Mb", line), line
