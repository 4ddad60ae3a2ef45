"""Simulated radios on the rig's kernel: the box's, and one in a network namespace for each phone.

    with Air(phones=2) as air:
        air.radios      # ["wlan0", "wlan1", "wlan2"]: the first is the box's
        with air.sniff() as capture:
            …
        capture.of(8)   # beacons

Only for the rig's own kernel (scripts/lib/rig-run): it loads and unloads its driver, and names are the kernel's own.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from Rig.network import run
from Rig.waiting import wait_until

LIMIT = 20
"""Seconds anything of the radios may take."""

CAPTURE_LIMIT = 60
"""Seconds the dissection of a capture may take."""

WIRELESS = Path("/sys/class/ieee80211")


def trouble() -> str | None:
    """Why there can be no simulated radios here, or None."""
    if "RIG_JOB" not in os.environ:
        return "simulated radios need a kernel of the rig's own: use scripts/test radio"
    return None


class Air:
    """`mac80211_hwsim` with the box's radio and some for phones, which all hear each other."""

    def __init__(self, phones: int, country: str = "GB"):
        reason = trouble()
        if reason:
            raise RuntimeError(reason)
        self.count = phones + 1
        run("modprobe", "cfg80211")
        run("rfkill", "unblock", "wifi")
        # The kernel looked for its database of what each country allows before there was a file system.
        run("iw", "reg", "reload")
        run("iw", "reg", "set", country)
        self.load()

    def __enter__(self) -> Air:
        return self

    def __exit__(self, *_) -> None:
        self.unload()

    def load(self) -> None:
        """Plug all radios in."""
        run("modprobe", "mac80211_hwsim", f"radios={self.count}")
        wait_until(lambda: len(self.radios) == self.count, LIMIT, "the radios are there", every=0.05)
        run("ip", "link", "set", "hwsim0", "up")

    def unload(self) -> None:
        """Take all radios away, wherever they are."""
        run("rmmod", "mac80211_hwsim")

    @property
    def radios(self) -> list[str]:
        """Interfaces of the radios that no phone has taken; the box's comes first."""
        return sorted((path.name for path in Path("/sys/class/net").iterdir() if (path / "phy80211").exists()),
                      key=lambda name: (len(name), name))

    @staticmethod
    def phy(interface: str) -> str:
        """The radio an interface is on."""
        return (Path("/sys/class/net") / interface / "phy80211/name").read_text().strip()

    @staticmethod
    def tune_out(phy: str, away: bool = True) -> None:
        """Bring a radio out of reach of all others, without a word; or back."""
        Path(f"/sys/kernel/debug/ieee80211/{phy}/hwsim/group").write_text("2" if away else "1")

    @contextlib.contextmanager
    def sniff(self, passphrase: tuple[str, str] | None = None):
        """Record every frame on the air for as long as the block runs. With an SSID and a passphrase tshark decrypts what
        it can."""
        with tempfile.TemporaryDirectory(prefix="kibitz-air-") as directory:
            capture = Capture(Path(directory) / "air.pcapng")
            process = subprocess.Popen(["dumpcap", "-q", "-i", "hwsim0", "-w", str(capture.file)],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                       text=True)
            try:
                wait_until(lambda: process.poll() is not None or (
                    capture.file.exists() and capture.file.stat().st_size > 0), LIMIT, "frames are recorded", every=0.05)
                assert process.poll() is None, process.stderr.read()
                try:
                    yield capture
                finally:
                    time.sleep(0.3)  # the kernel hands frames over in bundles
                    process.send_signal(signal.SIGINT)
                    process.communicate(timeout=LIMIT)
                capture.read(passphrase)
            finally:
                process.kill()
                process.wait()


class Capture:
    """What was on the air, once the recording has ended."""

    FIELDS = (
        "frame.number", "frame.time_epoch", "frame.protocols", "_ws.malformed", "_ws.expert.severity",
        "wlan.fc.type_subtype", "wlan.fc.protected", "wlan.fc.retry", "wlan.ta", "wlan.ra", "wlan.ccmp.extiv",
        "wlan.ssid", "wlan.bssid", "wlan.tag.number", "wlan.ext_tag.number", "wlan.fixed.capabilities.privacy", "wlan.fixed.beacon",
        "wlan.fixed.reason_code", "wlan.ds.current_channel", "wlan.country_info.code", "wlan.ht.info.primarychannel", "wlan.rsn.version",
        "wlan.rsn.gcs.type", "wlan.rsn.pcs.type", "wlan.rsn.akms.type", "wlan.rsn.capabilities.mfpc",
        "wlan.rsn.capabilities.mfpr", "wlan.rsn.gmcs.type", "wlan.rsnx.sae_hash_to_element", "icmp.type",
    )
    """What tshark tells of each frame, by its own names."""

    def __init__(self, file: Path):
        self.file = file
        self.frames: list[Frame] = []

    def read(self, passphrase: tuple[str, str] | None) -> None:
        """Have tshark dissect it, once and all of it: it takes its time to start."""
        arguments = ["tshark", "-n", "-r", str(self.file), "-T", "json", "-o", "wlan.ignore_wep:No"]
        for field in self.FIELDS:
            arguments += ["-e", field]
        if passphrase:
            ssid, words = passphrase
            arguments += ["-o", "wlan.enable_decryption:TRUE", "-o", f'uat:80211_keys:"wpa-pwd","{words}:{ssid}"']
        done = subprocess.run(arguments, capture_output=True, timeout=CAPTURE_LIMIT)
        if done.returncode != 0:
            raise RuntimeError(f"tshark: {done.stderr.decode(errors='replace')}")
        self.frames = [Frame(frame["_source"].get("layers", {})) for frame in json.loads(done.stdout or b"[]")]

    def of(self, *kinds: int) -> list[Frame]:
        """Frames of these types and subtypes."""
        return [frame for frame in self.frames if frame.kind in kinds]

    @property
    def data(self) -> list[Frame]:
        """Data frames, those without data left out: they say that a phone sleeps or wakes."""
        return [frame for frame in self.frames if frame.kind >> 4 == 2 and not frame.kind & 4]

    @property
    def malformed(self) -> list[Frame]:
        """Frames that tshark finds fault with."""
        severe = 0x0080_0000
        return [frame for frame in self.frames if frame["_ws.malformed"] or
                any(int(severity) >= severe for severity in frame["_ws.expert.severity"])]


class Frame:
    """One frame: `frame["wlan.ssid"]` has all values of a field."""

    def __init__(self, layers: dict[str, list[str]]):
        self._layers = layers

    def __getitem__(self, field: str) -> list[str]:
        assert field in Capture.FIELDS, field
        return self._layers.get(field, [])

    def __repr__(self) -> str:
        return repr(self._layers)

    @property
    def kind(self) -> int:
        """Type and subtype in one number, as tshark counts them: 8 is a beacon."""
        return int(self["wlan.fc.type_subtype"][0], 0) if self["wlan.fc.type_subtype"] else -1

    @property
    def protected(self) -> bool:
        return self["wlan.fc.protected"] in (["1"], ["True"])

    @property
    def protocols(self) -> list[str]:
        return self["frame.protocols"][0].split(":")
