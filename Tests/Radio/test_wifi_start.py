"""The access point from any state of the machine: whatever another program has made of the radio and left so."""

from __future__ import annotations

import pytest

from Rig.accesspoint import Hostapd, RadioBox
from Rig.network import run
from Rig.waiting import wait_until
from Rig.wifi import WPASupplicant

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


@pytest.mark.box
def test_a_client_of_another_network_becomes_the_access_point(air, phones):
    phone = phones.new()
    other, interface = air.radios
    hostapd = Hostapd(air, start=False)
    # Without a passphrase, so that the kernel can be told to connect and needs no program from then on.
    hostapd.configuration = hostapd.configuration.partition("wpa=2")[0]
    try:
        assert hostapd.interface == other
        hostapd.begin()
        wait_until(lambda: "state=ENABLED" in hostapd.control("status"), 20, "hostapd is up", detail=hostapd.describe)
        run("ip", "link", "set", interface, "up")
        run("iw", "dev", interface, "connect", hostapd.ssid, str(hostapd.frequency))
        wait_until(lambda: hostapd.ssid in run("iw", "dev", interface, "link"), 20, "it is connected", detail=hostapd.describe)
        with RadioBox(air, config={"wifi.interface": interface}) as box:
            phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
            phone.lease()
            assert phone.ping(box.wifi_address) == 3
            assert (told := box.wifi())["starts"] == 1 and told["trouble"] is None, told
    finally:
        hostapd.close()
