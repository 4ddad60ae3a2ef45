"""Shared parts of the tests of panels and the button, on the rig's own kernel: its lines, its SPI bus, the box."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from Rig.box import Box  # noqa: E402
from Rig.network import run  # noqa: E402
from Rig.reports import pytest_runtest_makereport  # noqa: E402, F401
from Rig.wires import bus, gpio  # noqa: E402, F401


ADDRESS = "10.20.0.1"


@pytest.fixture(scope="session", autouse=True)
def network():
    """A box without one shows no codes."""
    run("ip", "link", "add", "lan0", "type", "dummy")
    run("ip", "address", "add", f"{ADDRESS}/24", "dev", "lan0")
    run("ip", "link", "set", "lan0", "up")


@pytest.fixture
def make_box():
    """Makes boxes on that network: `with make_box({"panel": …}) as box`."""
    return lambda settings=None: Box({"addresses": [ADDRESS], **(settings or {})})
