"""Chromium opens the room over the simulated Wi-Fi: two phones scan the code, join, and see each other move.

What they say to the box and to each other goes through the air and the box's access point: nothing else connects them.
On this kernel's clock, which stands still while anyone computes, two browsers and their cameras take a second or two of it
and half a minute of a processor. So nothing is said here of how smooth the pictures are: Tests/Interop has that.
"""

from __future__ import annotations

import pytest

from Rig.accesspoint import RadioBox
from Rig.browsers import Browsers
from Rig.party import Party, people_in_status
from Rig.waiting import wait_until
from Rig.wifi import WPASupplicant

pytestmark = pytest.mark.box

PHONES = 2

LIMIT = 60
"""Seconds anything may take."""


class WiFiParty(Party):
    """A box with its own Wi-Fi, and people whose phones are on it."""

    def __init__(self, browsers: Browsers, box: RadioBox):
        self.browsers, self.box = browsers, box


@pytest.fixture
def box(air):
    with RadioBox(air, config={"link.scheme": "https"}) as running:
        yield running


def test_two_phones_with_chromium_see_each_other_over_the_wifi(box, phones):
    with Browsers() as browsers:
        party = WiFiParty(browsers, box)
        people = []
        for name in ("ada", "ben"):
            phone = phones.new()
            phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
            phone.lease()
            phone.name = name
            people.append(browsers.chromium(phone, size=(320, 480)))
        party.join(*people)
        party.meet(*people, timeout=LIMIT)
        wait_until(lambda: sorted(people_in_status(party).values()) == ["ada", "ben"], LIMIT, "the box counts both",
                   detail=party.describe)
        party.says(people[0], "over the air", people[1])
        assert box.stations() == sorted(phone.hardware for phone in phones)
        # An orderly end of a browser takes for ever on this clock.
        for phone in phones:
            phone.kill()
