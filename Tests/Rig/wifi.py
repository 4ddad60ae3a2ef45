"""Phones on simulated Wi-Fi: a network namespace with a radio, a Wi-Fi client, a DHCP client.

    phone = WiFiPhone(air, 1)
    phone.supplicant = WPASupplicant(phone, ssid, passphrase)
    phone.supplicant.connected()
    phone.lease()
    phone.ping(box)
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from Rig.air import Air
from Rig.network import run
from Rig.waiting import PATIENCE, wait_until

CONNECT_LIMIT = 20
"""Seconds a phone may take to be on the Wi-Fi. It needs one; with iwd, which scans all channels, five."""

LEASE_LIMIT = 20
"""Seconds to an address."""

STOP_LIMIT = 5
"""Seconds a program of the rig may take to end."""


class Program:
    """A program of the rig that runs until it is stopped; what it writes is kept."""

    def __init__(self, *command: str, namespace: str | None = None, environment: dict | None = None):
        self.directory = Path(tempfile.mkdtemp(prefix="kibitz-rig-"))
        self.log_file = self.directory / "log"
        prefix = ["ip", "netns", "exec", namespace] if namespace else []
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen([*prefix, *command], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, env=os.environ | (environment or {}))

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, and remove its files."""
        if self.alive:
            self.process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_LIMIT)
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class WiFiPhone:
    """A namespace with one radio of the air."""

    def __init__(self, air: Air, radio: str, name: str | None = None):
        self.air = air
        self.radio = radio
        self.name = self.namespace = name or f"phone-{radio}"
        self.phy = air.phy(radio)
        self.programs: list[Program] = []
        run("ip", "netns", "add", self.namespace)
        # Its own /etc/resolv.conf, which `ip netns exec` puts in place.
        self.resolver = Path("/etc/netns") / self.namespace / "resolv.conf"
        self.resolver.parent.mkdir(parents=True, exist_ok=True)
        self.resolver.write_text("")
        run("iw", "phy", self.phy, "set", "netns", "name", self.namespace)
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        self.hardware = self.link()["address"]
        """The MAC address."""
        self.client: WPASupplicant | IWD | None = None

    def __enter__(self) -> WiFiPhone:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Put the phone away; its radio is the box's kernel's again."""
        self.leave()
        for program in reversed(self.programs):
            program.stop()
        self.programs.clear()
        # What is left runs in the background: a DHCP client.
        self.kill()
        self.air.tune_out(self.phy, False)
        run("ip", "netns", "exec", self.namespace, "iw", "phy", self.phy, "set", "netns", "1")
        run("ip", "netns", "del", self.namespace)

    def kill(self) -> None:
        """End everything that runs on the phone, at once."""
        for pid in run("ip", "netns", "pids", self.namespace, check=False).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def start(self, *command: str, environment: dict | None = None) -> Program:
        """Run a program on the phone until it is put away."""
        program = Program(*command, namespace=self.namespace, environment=environment)
        self.programs.append(program)
        return program

    def run(self, *command: str, check: bool = True, timeout: float = 30) -> subprocess.CompletedProcess:
        """Run a command on the phone to its end."""
        done = subprocess.run(["ip", "netns", "exec", self.namespace, *command], capture_output=True, text=True,
                              timeout=timeout * PATIENCE, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise AssertionError(f"{self.name}: {' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    # The link

    def link(self) -> dict:
        return json.loads(run("ip", "-n", self.namespace, "-j", "addr", "show", "dev", self.radio))[0]

    def addresses(self, family: str = "inet") -> list[str]:
        """Addresses of the Wi-Fi interface that are not link-local."""
        return [entry["local"] for entry in self.link().get("addr_info", [])
                if entry["family"] == family and entry.get("scope") != "link" and not entry.get("tentative")]

    @property
    def address(self) -> str:
        """The IPv4 address."""
        return self.addresses()[0]

    @contextlib.contextmanager
    def out_of_range(self):
        """Nobody hears this phone, and it hears nobody, for as long as the block runs; it takes itself for connected."""
        self.vanish()
        try:
            yield
        finally:
            self.air.tune_out(self.phy, False)

    def vanish(self) -> None:
        """Be gone without a word, as when the battery goes."""
        self.air.tune_out(self.phy)

    # The Wi-Fi

    def join(self, client, *arguments, **parameters) -> WPASupplicant | IWD:
        """Start a Wi-Fi client of a kind (WPASupplicant, IWD) and wait until it is connected."""
        self.begin(client, *arguments, **parameters).wait_connected()
        return self.client

    def begin(self, client, *arguments, **parameters) -> WPASupplicant | IWD:
        """Start a Wi-Fi client of a kind, which then connects by itself."""
        self.leave()
        self.client = client(self, *arguments, **parameters)
        return self.client

    def leave(self) -> None:
        """End the Wi-Fi client."""
        if self.client:
            self.client.close()
            self.client = None
        run("ip", "-n", self.namespace, "addr", "flush", "dev", self.radio)

    # The network

    def lease(self) -> dict[str, str]:
        """Get an address by udhcpc. Returns what the server said, by udhcpc's names: `router`, `dns`, `opt114` and so on."""
        with tempfile.TemporaryDirectory(prefix="kibitz-lease-") as directory:
            told, script = Path(directory) / "told", Path(directory) / "script"
            script.write_text(
                "#!/bin/sh\n"
                "[ \"$1\" = bound ] || [ \"$1\" = renew ] || exit 0\n"
                f"env > {told}\n"
                "ip -4 addr flush dev $interface\n"
                "ip addr add $ip/$mask dev $interface\n"
                "[ -z \"$router\" ] || ip route replace default via $router\n"
                f"for server in $dns; do echo nameserver $server; done > {self.resolver}\n")
            script.chmod(0o755)
            self.run("udhcpc", "-i", self.radio, "-f", "-n", "-q", "-t", "6", "-T", "1", "-s", str(script), "-O", "114",
                     "-O", "dns", "-O", "router", "-x", f"hostname:{self.name}", timeout=LEASE_LIMIT)
            self.run("cp", "/etc/resolv.conf", str(told.parent), check=False)
            return dict(line.split("=", 1) for line in told.read_text().splitlines() if "=" in line)

    def ping(self, address: str, count: int = 3, interval: float = 0.2) -> int:
        """How many of so many pings are answered."""
        told = self.run("ping", "-n", "-c", str(count), "-i", str(interval), "-W", "2", address, check=False).stdout
        return int(re.search(r"(\d+) received", told)[1]) if "received" in told else 0

    def curl(self, url: str, *options: str) -> subprocess.CompletedProcess:
        """`curl` with these options; the caller judges its end."""
        return self.run("curl", "--silent", "--show-error", "--max-time", "10", *options, url, check=False)

    def describe(self) -> str:
        """For a failed test: what its programs wrote."""
        return "\n".join([f"{self.name} {self.hardware}", self.client.log() if self.client else ""] +
                         [program.log() for program in self.programs])


class WPASupplicant:
    """wpa_supplicant on a phone, by its control socket.

    `security` is "wpa2" (PSK), "pmf" (PSK with protected management frames required), "wpa3" (SAE), "both" (what current phones
    do: SAE where the access point has it, PMF where it can). `pwe` is how SAE derives its element: 0 hunting and
    pecking, 1 hash-to-element, 2 as the access point likes. With `waiting` it does nothing until `go()`.
    """

    KEY_MANAGEMENT = {
        "wpa2": ("WPA-PSK", 0), "pmf": ("WPA-PSK WPA-PSK-SHA256", 2), "wpa3": ("SAE", 2),
        "both": ("WPA-PSK WPA-PSK-SHA256 SAE", 1),
    }

    def __init__(self, phone: WiFiPhone, ssid: str, passphrase: str, security: str = "both", *, pwe: int = 2,
                 frequency: int | None = None, waiting: bool = False):
        self.phone = phone
        management, protection = self.KEY_MANAGEMENT[security]
        self.directory = Path(tempfile.mkdtemp(prefix="kibitz-wpa-"))
        self.socket_path = self.directory / "ctrl" / phone.radio
        configuration = self.directory / "conf"
        configuration.write_text(
            f"ctrl_interface={self.directory}/ctrl\nsae_pwe={pwe}\n"
            f"network={{\nssid=\"{ssid}\"\npsk=\"{passphrase}\"\nkey_mgmt={management}\nieee80211w={protection}\n"
            + (f"scan_freq={frequency}\n" if frequency else "")
            + ("disabled=1\n" if waiting else "") + "}\n")
        self.program = Program("wpa_supplicant", "-t", "-D", "nl80211", "-i", phone.radio, "-c", str(configuration),
                               namespace=phone.namespace)
        self._own_path = self.directory / "rig"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._own_path))
        self._events: list[str] = []
        wait_until(self.socket_path.exists, CONNECT_LIMIT, "wpa_supplicant is there", every=0.02, detail=self.log)
        self._socket.connect(str(self.socket_path))
        self.command("ATTACH")

    @property
    def pid(self) -> int:
        return self.program.pid

    def command(self, text: str) -> str:
        """A command of its control interface, and the answer."""
        self._socket.send(text.encode())
        self._socket.settimeout(STOP_LIMIT)
        while True:
            answer = self._socket.recv(65536).decode(errors="replace")
            if not answer.startswith("<"):
                return answer
            self._events.append(answer)

    def go(self) -> None:
        """Connect, where it was told to wait."""
        assert self.command("ENABLE_NETWORK 0").startswith("OK")

    def wait_event(self, pattern: str, timeout: float) -> re.Match:
        """The next event that matches; those before it are forgotten."""
        deadline = time.monotonic() + timeout
        while True:
            while self._events:
                found = re.search(pattern, self._events.pop(0))
                if found:
                    return found
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise AssertionError(f"{self.phone.name}: no event {pattern!r} in {timeout:g} s\n{self.log()}")
            self._socket.settimeout(remaining)
            with contextlib.suppress(TimeoutError):
                self._events.append(self._socket.recv(65536).decode(errors="replace"))

    def forget_events(self) -> None:
        """Wait only for what happens from here on."""
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(65536)
        self._events.clear()

    def status(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.command("STATUS").splitlines() if "=" in line)

    @property
    def connected(self) -> bool:
        return self.status().get("wpa_state") == "COMPLETED"

    def wait_connected(self, timeout: float = CONNECT_LIMIT) -> None:
        wait_until(lambda: self.connected, timeout, f"{self.phone.name} is on the Wi-Fi", every=0.03, detail=self.log)

    def log(self) -> str:
        return self.program.log()[-6000:]

    def close(self) -> None:
        self._socket.close()
        self.program.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
"""


class IWD:
    """iwd on a phone, or on the machine itself, with a D-Bus of its own. It decides by itself what security it uses."""

    def __init__(self, phone: WiFiPhone | None, ssid: str, passphrase: str, *, settings: str = "",
                 network_configuration: bool = False):
        self.phone = phone
        self.ssid = ssid
        self.directory = Path(tempfile.mkdtemp(prefix="kibitz-iwd-"))
        for name in ("state", "etc"):
            (self.directory / name).mkdir()
        bus = self.directory / "bus.conf"
        bus.write_text(BUS.format(path=self.directory / "bus"))
        (self.directory / "etc/main.conf").write_text(
            "[General]\nUseDefaultInterface=true\nAddressRandomization=disabled\n"
            f"EnableNetworkConfiguration={str(network_configuration).lower()}\n"
            + settings)
        (self.directory / "state" / f"{self._file_name(ssid)}.psk").write_text(f"[Security]\nPassphrase={passphrase}\n")
        self.environment = {
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.directory}/bus", "STATE_DIRECTORY": f"{self.directory}/state",
            "CONFIGURATION_DIRECTORY": f"{self.directory}/etc"}
        self.bus = Program("dbus-daemon", "--nofork", "--nopidfile", "--config-file", str(bus))
        wait_until((self.directory / "bus").exists, CONNECT_LIMIT, "D-Bus is there", every=0.02, detail=self.bus.log)
        self.program = Program("/usr/libexec/iwd", "-d", namespace=phone.namespace if phone else None,
                               environment=self.environment)

    @staticmethod
    def _file_name(ssid: str) -> str:
        """iwd writes an SSID with other than letters, digits, spaces, `_` and `-` in hexadecimal."""
        return ssid if re.fullmatch(r"[A-Za-z0-9_ -]+", ssid) else "=" + ssid.encode().hex()

    @property
    def pid(self) -> int:
        return self.program.pid

    def control(self, *arguments: str) -> str:
        """`iwctl` with these arguments."""
        done = subprocess.run(["iwctl", *arguments], capture_output=True, text=True, timeout=30,
                              stdin=subprocess.DEVNULL, env=os.environ | self.environment | {"TERM": "dumb"})
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)

    def status(self) -> dict[str, str]:
        """What `iwctl station show` has: `State`, `Connected network`, `Security` and so on."""
        told = self.control("station", self.phone.radio, "show")
        return {key: value for key, value in re.findall(r"^\s{2,}(?:\*\s)?(\S+(?: \S+)*)\s{2,}(\S.*?)\s*$", told, re.M)}

    @property
    def connected(self) -> bool:
        return self.status().get("State") == "connected"

    def wait_connected(self, timeout: float = CONNECT_LIMIT) -> None:
        wait_until(lambda: self.connected, timeout, f"{self.phone.name} is on the Wi-Fi", every=0.2, detail=self.log)

    def log(self) -> str:
        return self.program.log()[-6000:]

    def close(self) -> None:
        self.program.stop()
        self.bus.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
