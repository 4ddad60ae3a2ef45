"""What `scripts/test radio` has Debian's own kernel show too, where everything is slow: one phone, its address and a ping;
and all of the kernel's Wi-Fi loaded anew."""

from __future__ import annotations

import pytest

from Rig.network import run
from Rig.waiting import wait_until
from Rig.wifi import WPASupplicant

PHONES = 1


@pytest.mark.parametrize("box", ["transition"], indirect=True)
def test_smoke(box, phone):
    client = phone.begin(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    client.wait_connected(60)
    assert client.status()["key_mgmt"] == "SAE"
    phone.lease()
    assert phone.ping(box.wifi_address) == 3
    wait_until(lambda: box.stations() == [phone.hardware], 10, "the box counts it")


def test_all_of_the_kernels_wifi_is_loaded_anew(air, box):
    """Not only the radio's driver. What the box speaks with the kernel then has another number, under which nobody
    listened. The rig's own kernel has it built in; here it is modules."""
    ssid = box.ssid
    air.unload()
    for module in ("mac80211", "cfg80211"):
        run("rmmod", module)
    wait_until(lambda: not box.up, 10, "the box has noticed", detail=box.describe)
    run("modprobe", "cfg80211")
    run("iw", "reg", "reload")
    run("iw", "reg", "set", "GB")
    air.load()
    box.wait_up(30)
    assert box.ssid == ssid
