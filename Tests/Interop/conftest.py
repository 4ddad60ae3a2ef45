"""Shared parts of the tests that run the built executable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from Rig.box import Box  # noqa: E402
from Rig.reports import pytest_runtest_makereport  # noqa: E402, F401


@pytest.fixture
def box():
    """A fresh box on loopback."""
    with Box() as running:
        yield running


@pytest.fixture(scope="module")
def shared_box():
    """One box for all tests of a module that leave it as it was."""
    with Box() as running:
        yield running


@pytest.fixture(scope="module")
def browsers():
    """Chromium and Firefox, started as phones."""
    from Rig import browsers as rig
    from Rig import network

    # A failure and not a skip: without these tests nobody knows whether the page works.
    trouble = rig.missing() or network.trouble()
    if trouble:
        pytest.fail(trouble)
    with rig.Browsers() as running:
        yield running


@pytest.fixture
def party(browsers, request):
    """A box and nobody there yet; `Rig.party.with_settings` sets its configuration."""
    from Rig.party import Party

    with Party(browsers, getattr(request, "param", None)) as running:
        yield running
