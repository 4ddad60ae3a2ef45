"""Waiting with a bound."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

PATIENCE = float(os.environ.get("RIG_PATIENCE", "1"))
"""How many times longer than usual everything may take: on an emulated machine nothing is quick."""


def wait_until(condition: Callable[[], object], timeout: float, what: str, *, every: float = 0.2,
               detail: Callable[[], object] | None = None):
    """Poll `condition` until it answers something true and return that; `detail` is told when time runs out."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            told = f"\n{detail()}" if detail else f" (last answer: {answer!r})"
            raise AssertionError(f"after {timeout * PATIENCE:g} s it is not so that {what}{told}")
        time.sleep(every)
