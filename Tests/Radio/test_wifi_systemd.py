"""The box's unit under systemd itself."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from Rig.accesspoint import RadioBox, children
from Rig.box import executable
from Rig.network import run
from Rig.waiting import wait_until
from Rig.wifi import WPASupplicant

REAL_TIME = True

PHONES = 1

ROOTFS = Path(__file__).resolve().parents[2] / "overlays/rootfs"

QUIET = (
    "systemd-udevd.service systemd-udev-trigger.service systemd-random-seed.service systemd-firstboot.service "
    "systemd-networkd.service systemd-resolved.service systemd-timesyncd.service systemd-modules-load.service "
    "getty.target serial-getty@.service NetworkManager.service wpa_supplicant.service iwd.service hostapd.service "
    "dnsmasq.service systemd-journal-flush.service systemd-update-utmp.service systemd-tmpfiles-setup.service "
    "systemd-tmpfiles-setup-dev.service systemd-sysusers.service timers.target dbus.service dbus.socket"
).split()
"""What else a machine starts, and this test does without."""


class Systemd:
    """systemd as the first process of a container that has the rig's network and radios, with one unit to start."""

    def __init__(self):
        units = Path("/etc/systemd/system")
        for name in QUIET:
            (units / name).unlink(missing_ok=True)
            (units / name).symlink_to("/dev/null")
        (units / "rig.target").write_text("[Unit]\nWants=basic.target kibitz-local.service\n")
        Path("/etc/fstab").write_text("")
        Path("/etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        self.log_file = Path("/run/rig-systemd.log")
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "env", "-i", "container=rig",
                 "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "/lib/systemd/systemd", "--unit=rig.target", "--show-status=0",
                 "--log-target=console", "--log-level=info"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def control(self, *arguments: str, check: bool = True) -> str:
        """`systemctl` with these arguments, in the container: systemd listens to nobody else."""
        return run("nsenter", "--target", str(children(self.process.pid)[0]), "--pid", "--mount", "systemctl", *arguments,
                   check=check)

    def show(self, *properties: str) -> dict[str, str]:
        """`systemctl show` of the box's unit."""
        if not children(self.process.pid):
            return {}
        told = self.control("show", "kibitz-local.service", "-p", ",".join(properties), check=False)
        return dict(line.split("=", 1) for line in told.splitlines() if "=" in line)

    def describe(self) -> str:
        journal = run("journalctl", "--directory=/run/log/journal", "-n", "40", "-o", "cat", check=False)
        return f"{self.show('ActiveState', 'SubState', 'Result', 'StatusText')}\n{self.log_file.read_text()}\n{journal}"

    def close(self) -> None:
        for pid in children(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGRTMIN + 13)  # systemd(1): halt at once
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()


class ServiceBox(RadioBox):
    """The box as its unit starts it, with the files of `overlays/rootfs`."""

    def __init__(self, air):
        super().__init__(air, start=False)
        self.state = Path("/var/lib/kibitz-local")

    def install(self) -> None:
        shutil.copy(executable(), "/usr/bin/kibitz-local")
        run("cp", "-r", f"{ROOTFS}/.", "/")
        Path("/etc/kibitz-local/config.yaml").write_text("country: GB\npanel: none\n")
        run("systemd-sysusers")


@pytest.fixture
def service(air):
    box = ServiceBox(air)
    box.install()
    systemd = Systemd()
    box.systemd = systemd
    try:
        yield box
    finally:
        systemd.close()


@pytest.mark.box
def test_the_unit_under_systemd(service, phone):
    box, systemd = service, service.systemd
    wait_until(lambda: systemd.show("ActiveState").get("ActiveState") == "active", 30, "systemd says that the box is ready",
               detail=systemd.describe)
    box.wait_up(30)
    told = systemd.show("SubState", "MainPID", "NRestarts", "Type", "StatusText", "Result")
    assert told["SubState"] == "running" and told["NRestarts"] == "0" and told["Result"] == "success", told
    phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    phone.lease()
    assert phone.ping(box.wifi_address) == 3
    assert phone.curl(f"http://{box.wifi_address}/api/room").returncode == 0
    # Its watchdog is fed.
    time.sleep(12)
    assert systemd.show("NRestarts", "ActiveState") == {"NRestarts": "0", "ActiveState": "active"}, systemd.describe()
    # Killed, it comes back by itself, and so does the phone.
    systemd.control("kill", "--signal=KILL", "kibitz-local.service")
    wait_until(lambda: systemd.show("NRestarts", "ActiveState") == {"NRestarts": "1", "ActiveState": "active"}, 20,
               "systemd has started it again", detail=systemd.describe)
    box.wait_up(30)
    phone.client.wait_connected(60)
    assert phone.ping(box.wifi_address) == 3
    # Stopped, it leaves nothing.
    systemd.control("stop", "kibitz-local.service")
    assert systemd.show("ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}, systemd.describe()
    assert "kibitz-local" not in run("nft", "list", "tables")
