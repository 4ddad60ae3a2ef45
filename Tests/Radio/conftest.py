"""Shared parts of the tests that run on the rig's own kernel."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from Rig.reports import pytest_runtest_makereport  # noqa: E402, F401
