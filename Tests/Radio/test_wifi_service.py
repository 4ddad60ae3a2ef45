"""The box as the machine's own service: with the powers of its unit and no more."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from Rig.accesspoint import RadioBox
from Rig.network import run
from Rig.waiting import wait_until
from Rig.wifi import WPASupplicant

PHONES = 1

UNIT = Path(__file__).resolve().parents[2] / "overlays/rootfs/usr/lib/systemd/system/kibitz-local.service"


def capabilities() -> list[str]:
    """Those of the unit, as setpriv names them."""
    names = re.findall(r"CAP_(\w+)", " ".join(re.findall(r"^CapabilityBoundingSet=(.*)$", UNIT.read_text(), re.M)))
    assert names
    return [name.lower() for name in names]


@pytest.fixture
def confined(air):
    """A box that has what its unit leaves of root's powers."""
    kept = ",".join(["-all", *(f"+{name}" for name in capabilities())])
    box = RadioBox(air, start=False)
    box.prefix = ["setpriv", f"--bounding-set={kept}", "--inh-caps=-all", "--no-new-privs"]
    with box:
        box.start()
        yield box


def effective(pid: int) -> int:
    return int(re.search(r"^CapEff:\s+(\w+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1], 16)


@pytest.mark.box
def test_the_units_powers_are_enough(confined, phone):
    box = confined
    box.wait_up()
    assert effective(box.pid).bit_count() == len(capabilities()), "it has these powers and no others"
    phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    phone.lease()
    assert phone.ping(box.wifi_address) == 3
    assert box.wifi()["trouble"] is None and box.status()["trouble"] == []
    # Changes of its rules are announced to it.
    run("nft", "flush", "ruleset")
    time.sleep(2)
    assert "kibitz-local" in run("nft", "list", "tables")
    # What it does later: switch the radio back on, change everything, end dnsmasq.
    run("rfkill", "block", "wifi")
    wait_until(lambda: not box.up, 10, "the box has noticed")
    run("rfkill", "unblock", "wifi")
    box.wait_up(30)
    former = box.passphrase
    box.rotate()
    assert box.passphrase != former
    phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    phone.lease()
    assert phone.ping(box.wifi_address) == 3
    children = box.pids()[1:]
    assert children
    assert box.terminate() == 0
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 5, "dnsmasq has ended")
    assert "kibitz-local" not in run("nft", "list", "tables")
