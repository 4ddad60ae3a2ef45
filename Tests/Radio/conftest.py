"""Shared parts of the tests that run on the rig's own kernel.

A module has `PHONES`, how many radios there are beside the box's. With RIG_ACCESS_POINT=hostapd in the environment the
tests that any access point must pass meet hostapd and dnsmasq instead of the box: that tries the tests themselves. With
RIG_ACCESS_POINT=wired they meet a box with hostapd on its cable.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from Rig.accesspoint import Hostapd, RadioBox, WiredBox  # noqa: E402
from Rig.air import Air  # noqa: E402
from Rig.reports import pytest_runtest_makereport  # noqa: E402, F401
from Rig.wifi import WiFiPhone  # noqa: E402
from Rig.wires import bus, glass, gpio  # noqa: E402, F401

ACCESS_POINT = {"hostapd": Hostapd, "wired": WiredBox}.get(os.environ.get("RIG_ACCESS_POINT"), RadioBox)


@pytest.fixture
def air(request):
    """The box's radio and the module's `PHONES`, new for each test: phones remember for half a minute what they saw on
    the air, and here there is little time between two tests."""
    with Air(request.module.PHONES) as made:
        yield made


@pytest.fixture
def box(air, request):
    """A box that is up; its security by indirect parameter, else for old and new phones alike."""
    with ACCESS_POINT(air, getattr(request, "param", "transition")) as running:
        yield running


class Phones(list):
    """The phones of a test, made as they are asked for."""

    def __init__(self, air: Air):
        super().__init__()
        self.air = air

    def new(self) -> WiFiPhone:
        """Another phone, off the Wi-Fi."""
        self.append(WiFiPhone(self.air, self.air.radios[-1]))
        return self[-1]

    def describe(self) -> str:
        return "\n".join(phone.describe() for phone in self)


@pytest.fixture
def phones(air):
    made = Phones(air)
    yield made
    for phone in reversed(made):
        phone.close()


@pytest.fixture
def phone(air):
    """One phone, off the Wi-Fi."""
    with WiFiPhone(air, air.radios[-1]) as made:
        yield made


def pytest_configure(config):
    config.addinivalue_line("markers", "box: what no other access point could be asked")


def pytest_collection_modifyitems(items):
    if ACCESS_POINT is Hostapd:
        items[:] = [item for item in items if not item.get_closest_marker("box")]
