"""The room over the simulated Wi-Fi: from the code on the screen to frames between two phones."""

from __future__ import annotations

import json
import time

import pytest

from Rig.hub import HubPhone
from Rig.waiting import wait_until
from Rig.wifi import IWD, WPASupplicant

pytestmark = pytest.mark.box

PHONES = 3


def test_phones_meet_over_the_wifi_and_stay_when_one_walks_away_and_back(box, phones):
    ada, ben = phones.new(), phones.new()
    ada.join(IWD, box.ssid, box.passphrase)
    # Not iwd here: version 2.3 does not always try again when a first attempt after an absence fails.
    ben.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    for phone in phones:
        phone.lease()
    blob = box.status()["blob"]
    assert box.wifi_address in blob, "the code leads where phones on the Wi-Fi get to"
    with HubPhone(ada) as first_phone, HubPhone(ben) as second_phone:
        first, second = first_phone.dial(blob), second_phone.dial(blob)
        first.resume("hall")
        second.resume("hall")
        for number in range(200):
            first.send({"t": "to", "id": second.id, "payload": number})
            second.send({"t": "to", "id": first.id, "payload": number})
        for client in (first, second):
            assert [client.receive(30)["payload"] for _ in range(200)] == list(range(200))
        longest = "x" * 200_000
        first.send({"t": "to", "id": second.id, "payload": longest})
        assert second.receive(30)["payload"] == longest
        # Away long enough for the hub to give its connection up: eight seconds.
        former, token = second.id, second.token
        with ben.out_of_range():
            time.sleep(10)
            first.send({"t": "to", "id": former, "payload": "while you were away"})
        ben.client.wait_connected(60)
        wait_until(lambda: ben.ping(box.wifi_address, count=1), 30, "its Wi-Fi is back")
        again = second_phone.dial(blob)
        assert again.resume("hall", token)["id"] == former
        assert again.receive()["payload"] == "while you were away"


def test_the_page_of_the_room_comes_over_the_wifi_from_the_name_in_the_code(box, phone):
    phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    phone.lease()
    link = box.link.partition("#")[0]
    page = phone.curl(link, "--insecure", "--location")
    assert page.returncode == 0 and "<!doctype html>" in page.stdout.lower(), page
    assert json.loads(phone.curl(f"http://{box.wifi_address}/api/turn").stdout)["iceServers"]
    began = time.monotonic()
    assert phone.ping(box.wifi_address, count=20, interval=0.05) == 20
    assert time.monotonic() - began < 3
