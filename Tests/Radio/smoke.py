"""One phone, its address and a ping: what `scripts/test radio` has Debian's own kernel show too, where everything is slow."""

from __future__ import annotations

import pytest

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
