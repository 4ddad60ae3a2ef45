"""QR codes as a phone's camera sees them."""

from __future__ import annotations

import subprocess
from pathlib import Path


def scan(picture: Path) -> str:
    """What a phone's camera reads from a picture with a QR code."""
    result = subprocess.run(["zbarimg", "--raw", "--quiet", str(picture)], capture_output=True, text=True, timeout=20)
    assert result.returncode == 0, f"no code can be read in {picture}: {result.stderr}"
    return result.stdout.strip()
