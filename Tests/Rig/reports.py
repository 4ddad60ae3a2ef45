"""What a failed test shows beside its assertion; a `conftest.py` imports the hook."""

from __future__ import annotations

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the boxes and browsers it used have to say (`describe()` of each fixture)."""
    report = yield
    if report.when == "call" and report.failed:
        for name, value in item.funcargs.items():
            describe = getattr(value, "describe", None)
            if describe:
                try:
                    report.sections.append((name, str(describe())))
                except Exception as error:  # the test's own failure is the one to show
                    report.sections.append((name, f"(nothing to tell: {error})"))
    return report
