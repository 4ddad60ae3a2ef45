"""The wires between a box and its panel and button, as fixtures: a conftest.py has them by importing them."""

from __future__ import annotations

import pytest

from Rig.glass import Glass
from Rig.gpio import GPIO
from Rig.spi import SPI


@pytest.fixture
def gpio():
    """All lines that a box may have; nobody presses the button."""
    with GPIO() as made:
        yield made


@pytest.fixture
def bus(gpio):
    """The SPI bus, where D/C and RESET are looked at."""
    with SPI(gpio) as made:
        yield made


@pytest.fixture
def glass(gpio, bus, request):
    """The panel that the module's `GLASS` describes, by `Glass`' own arguments."""
    with Glass(gpio=gpio, bus=bus, **request.module.GLASS) as made:
        yield made
