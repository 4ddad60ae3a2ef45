"""Runs a box with a Wi-Fi of its own under Callgrind on the rig's kernel, with one phone that gets its page, and prints the
names of the executable's functions that were called, one a line. scripts/order runs it.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests"))

from Rig.accesspoint import RadioBox  # noqa: E402
from Rig.air import Air  # noqa: E402
from Rig.box import executable  # noqa: E402
from Rig.waiting import wait_until  # noqa: E402
from Rig.wifi import WiFiPhone, WPASupplicant  # noqa: E402

LIMIT = 120
"""Seconds that something may take, 50 times slower than it is."""


def called(profile: str, program: str) -> Iterator[str]:
    """Names of a program's functions in one of Callgrind's profiles. A name follows its number where it is first met, be it
    as the one that is called (cfn, in the object cob)."""
    names: dict[str, dict[str, str]] = {"ob": {}, "fn": {}}
    ours = False
    for calls, kind, number, name in re.findall(r"^(c?)(ob|fn)=\((\d+)\)(?: (.*))?$", profile, re.M):
        if name:
            names[kind][number] = name
        if calls:
            continue
        if kind == "ob":
            ours = names[kind][number] == program
        elif ours:
            # What is called from itself has the depth behind its name.
            yield names[kind][number].partition("'")[0]


def main() -> None:
    program = executable()
    with tempfile.TemporaryDirectory() as folder:
        profile, wrapper = Path(folder) / "profile", Path(folder) / "kibitz-local"
        wrapper.write_text(f'#!/bin/sh\nexec valgrind --tool=callgrind --demangle=no --callgrind-out-file="{profile}" '
                           f'--log-file=/dev/null "{program}" "$@"\n')
        wrapper.chmod(0o755)
        with Air(phones=1) as air:
            with RadioBox(air, config={"panel": "png"}) as box:
                # Not its first start: keys are made then, and never again.
                box.terminate()
                os.environ["KIBITZ_LOCAL"] = str(wrapper)
                box.start(LIMIT)
                os.environ["KIBITZ_LOCAL"] = str(program)
                box.wait_up(LIMIT)
                with WiFiPhone(air, air.radios[-1]) as phone:
                    phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
                    phone.lease()
                    phone.curl("http://captive.apple.com/hotspot-detect.html", "--location")
                    phone.curl(box.link.partition("#")[0], "--insecure", "--location")
                    phone.leave()
                box.terminate()
        wait_until(profile.exists, LIMIT, "the profile is written")
        # A number stands for a function without a name.
        print("\n".join(sorted(name for name in set(called(profile.read_text(), str(program))) if not name.startswith("0x"))))


if __name__ == "__main__":
    main()
