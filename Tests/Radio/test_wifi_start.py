"""The access point from any state of the machine: whatever another program has made of the radio and left so."""

from __future__ import annotations

from pathlib import Path

import pytest

from Rig.accesspoint import RadioBox
from Rig.network import run
from Rig.waiting import wait_until
from Rig.wifi import Program, WPASupplicant

PHONES = 2


def no_interface(air, interface: str) -> None:
    run("iw", "dev", interface, "del")


def a_monitor(air, interface: str) -> None:
    run("iw", "dev", interface, "set", "type", "monitor")
    run("ip", "link", "set", interface, "up")
    run("iw", "dev", interface, "set", "channel", "11")


def a_network_without_access_point(air, interface: str) -> None:
    run("iw", "dev", interface, "set", "type", "ibss")
    run("ip", "link", "set", interface, "up")
    run("iw", "dev", interface, "ibss", "join", "left", "2412")


def more_interfaces(air, interface: str) -> None:
    for name, kind in (("sniffer", "monitor"), ("second", "managed")):
        run("iw", "phy", air.phy(interface), "interface", "add", name, "type", kind)
        run("ip", "link", "set", name, "up")


def addresses(air, interface: str) -> None:
    run("ip", "link", "set", interface, "address", "02:12:34:56:78:9a")
    run("ip", "link", "set", interface, "up")
    run("ip", "addr", "add", "192.168.55.1/24", "dev", interface)
    run("ip", "route", "add", "default", "via", "192.168.55.2")


def an_access_point(air, interface: str) -> None:
    """One that belongs to nobody: those of hostapd and of the box end with their programs."""
    address = run("cat", f"/sys/class/net/{interface}/address").strip().replace(":", "")
    run("iw", "dev", interface, "set", "type", "__ap")
    run("ip", "link", "set", interface, "up")
    # A beacon (IEEE 802.11-2020, 9.3.3.2): header, time, interval, capabilities, name, rates, channel.
    head = (f"80000000{'ff' * 6}{address * 2}0000" + "00" * 8 + "64000100" + "0004" + b"left".hex()
            + "010802040b160c121824" + "030101")
    run("iw", "dev", interface, "ap", "start", "left", "2412", "100", "1", "head", head)
    assert "ssid left" in run("iw", "dev", interface, "info")


@pytest.mark.box
@pytest.mark.parametrize("leave", [
    no_interface, a_monitor, a_network_without_access_point, more_interfaces, addresses, an_access_point,
])
def test_what_was_left_is_taken_over(air, phone, leave):
    leave(air, air.radios[0])
    with RadioBox(air) as box:
        phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
        phone.lease()
        assert phone.ping(box.wifi_address) == 3
        assert (told := box.wifi())["starts"] == 1 and told["trouble"] is None, told


@pytest.fixture
def client(air, phones):
    """An interface that is connected to another network, of which the kernel alone knows."""
    neighbour = phones.new()
    interface = air.radios[0]
    configuration = Path("/run/rig-neighbour.conf")
    configuration.write_text(f"interface={neighbour.radio}\ndriver=nl80211\nssid=neighbour\nhw_mode=g\nchannel=6\ncountry_code=GB\n")
    hostapd = Program("hostapd", "-t", str(configuration), namespace=neighbour.namespace)
    neighbour.programs.append(hostapd)
    wait_until(lambda: "AP-ENABLED" in hostapd.log(), 20, "the neighbour's Wi-Fi is up", detail=hostapd.log)
    run("ip", "link", "set", interface, "up")
    run("iw", "dev", interface, "connect", "neighbour", "2437")
    wait_until(lambda: "neighbour" in run("iw", "dev", interface, "link"), 20, "it is connected", detail=hostapd.log)
    return interface


@pytest.mark.box
@pytest.mark.parametrize("other", [None, "managed", "__ap"])
def test_a_client_of_another_network_gives_way(air, phones, client, other):
    """Also where the access point is on another interface of the radio, which can't be on two channels."""
    phone = phones.new()
    if other:
        run("iw", "phy", air.phy(client), "interface", "add", "uap0", "type", other)
    with RadioBox(air, config={"wifi.channel": 36}) as box:
        assert box.interface == ("uap0" if other == "__ap" else client)
        phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
        phone.lease()
        assert phone.ping(box.wifi_address) == 3
        assert (told := box.wifi())["starts"] == 1 and told["trouble"] is None, told


@pytest.mark.box
def test_a_radio_that_is_on_no_other_network_comes_first(air, client):
    """A laptop's own Wi-Fi, with an adapter plugged in for the box."""
    with RadioBox(air) as box:
        assert box.interface != client and "neighbour" in run("iw", "dev", client, "link")


@pytest.mark.box
def test_a_program_that_looks_for_networks_disturbs_nobody_and_is_told_of(air, phone):
    """wpa_supplicant, left running, scanned for half of the time, in which phones got no answer. The box said that all was
    well."""
    interface = air.radios[0]
    configuration = Path("/run/rig-client.conf")
    configuration.write_text('network={\nssid="elsewhere"\npsk="not the passphrase"\n}\n')
    rival = Program("wpa_supplicant", "-t", "-D", "nl80211", "-i", interface, "-c", str(configuration))
    try:
        wait_until(lambda: "Successfully initialized" in rival.log(), 10, "it runs", detail=rival.log)
        with RadioBox(air) as box:
            phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
            phone.lease()
            assert phone.ping(box.wifi_address, count=25, interval=1) >= 24
            wait_until(lambda: "another program looks for networks" in (box.wifi()["trouble"] or ""), 60, "the box says so",
                       detail=lambda: f"{box.wifi()}\n{rival.log()}")
            assert box.wifi()["starts"] == 1
            result = box.command("doctor", "--config", str(box.config_file))
            assert "wpa_supplicant is running and may take the adapter" in result.stdout, result.stdout
            # It takes the interface down as it ends.
            rival.stop()
            wait_until(lambda: box.up and box.wifi()["trouble"] is None, 90, "all is well again", detail=box.wifi)
            wait_until(lambda: phone.ping(box.wifi_address) == 3, 60, "the phone is on again", detail=phone.describe)
    finally:
        rival.stop()


@pytest.mark.box
def test_a_client_beside_a_named_interface_stays(air, client):
    run("iw", "phy", air.phy(client), "interface", "add", "uap0", "type", "managed")
    with RadioBox(air, config={"wifi.channel": 36, "wifi.interface": "uap0"}, up=False) as box:
        wait_until(lambda: f"busy with {client}" in (box.wifi()["trouble"] or ""), 10, "the box says why", detail=box.wifi)
        assert "neighbour" in run("iw", "dev", client, "link")
    with RadioBox(air, config={"wifi.channel": 6, "wifi.interface": "uap0"}) as box:
        assert box.wifi()["trouble"] is None and "neighbour" in run("iw", "dev", client, "link"), "both are on one channel"
