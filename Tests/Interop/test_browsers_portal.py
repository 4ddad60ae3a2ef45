"""The portal page in a browser: everything on the phone's screen, and its one button."""

from __future__ import annotations

import pytest

from Rig import network
from Rig.browsers import Browsers
from Rig.lan import Lan
from Rig.waiting import wait_until

NAMES = {
    "short": "Kibitz Local", "one-word": "W" * 32, "right-to-left": "מועדון הברידג' הגדול",
}


@pytest.fixture(scope="module", autouse=True)
def _namespaces():
    trouble = network.trouble()
    if trouble:
        pytest.fail(trouble)


@pytest.mark.parametrize("name", NAMES)
def test_portal_fits_a_phone(name):
    name = NAMES[name]
    with Lan() as lan, lan.start_box({"name": name}), Browsers() as browsers:
        for number, (size, dark) in enumerate([((320, 568), False), ((844, 390), True)]):
            phone = lan.phone(f"ada{number}")
            phone.ask()
            wait_until(lambda: phone.reaches("10.77.0.1"), 5, "the box answers")
            ada = browsers.chromium(phone, size=size, dark=dark)

            def check(heading: str) -> None:
                ada.wait(f"document.querySelector('h1')?.innerText.startsWith({heading!r})")
                ada.screenshot(f"portal-{size[0]}-{'dark' if dark else 'light'}")
                # Nothing reaches beyond the screen, the longest name included.
                assert ada.eval("document.documentElement.scrollWidth - innerWidth") <= 0
                assert ada.eval("[...document.querySelectorAll('main *')].every(element => "
                                "element.getBoundingClientRect().right <= innerWidth + 0.5)")
                # It has its style sheet: the page is as dark as the phone.
                shade = ada.eval("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
                assert (sum(shade[:3]) < 200) == dark, shade

            ada.open("http://10.77.0.1/portal")
            check("You are on the Wi-Fi of")
            assert name in ada.text("h1")
            assert ada.eval("document.querySelector('form button').getBoundingClientRect().height") >= 40
            ada.click("form button")
            check("Your phone stays on this Wi-Fi")
            browsers.clear()
