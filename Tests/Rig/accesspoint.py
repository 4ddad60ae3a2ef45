"""Access points: a box with its own Wi-Fi, and what it stands beside: hostapd and iwd, each with dnsmasq.

All have the same face for the tests and for `scripts/bench wifi`:

    with RadioBox(air) as box:
        phone.join(WPASupplicant, box.ssid, box.passphrase)
"""

from __future__ import annotations

import json
from pathlib import Path

from Rig.air import Air
from Rig.box import Box
from Rig.network import run
from Rig.waiting import wait_until
from Rig.wifi import IWD, Program

UP_LIMIT = 20
"""Seconds an access point may take until it is up. It needs about one."""


class RadioBox(Box):
    """A box on the rig's kernel with its radio, as its owner's machine would run it.

    `security` is "wpa2", "wpa3" or "transition"; further settings go into its configuration.
    """

    def __init__(self, air: Air, security: str = "transition", config: dict | None = None, *, up: bool = True,
                 start: bool = True):
        self.air = air
        self.security = security
        super().__init__({
            "addresses": None, "country": "GB", "wifi": None, "wifi.mode": "auto", "wifi.security": security,
            "http.port": 80, "https.port": 443, "stun.port": 3478, "hub.port": 4711, **(config or {}),
        }, start=start)
        if start and up:
            try:
                self.wait_up()
            except BaseException:
                self.close()
                raise

    @property
    def http_address(self) -> str:
        return "127.0.0.1"

    # The rig asks from the machine itself; phones know the box by `wifi_address`.
    address = http_address

    def close(self) -> None:
        if self.alive:
            try:
                self.terminate()
            except AssertionError:
                pass
        super().close()

    def wifi(self) -> dict:
        """`kibitz-local wifi --json`."""
        return self.tell("wifi")

    def rotate(self) -> str:
        """`kibitz-local rotate`, and wait until the Wi-Fi has its new name."""
        former = self.ssid
        link = super().rotate()
        wait_until(lambda: self.up and self.ssid != former, UP_LIMIT, "the Wi-Fi has another name", every=0.05,
                   detail=self.describe)
        return link

    @property
    def up(self) -> bool:
        return self.wifi()["state"] == "up"

    def wait_up(self, timeout: float = UP_LIMIT) -> None:
        wait_until(lambda: self.up and self.wifi().get("address"), timeout, "the access point is up", every=0.1,
                   detail=lambda: f"{self.wifi()}\n{self.describe()}")

    @property
    def ssid(self) -> str:
        return self.wifi()["ssid"]

    @property
    def passphrase(self) -> str:
        return self.wifi()["passphrase"]

    @property
    def interface(self) -> str:
        return self.wifi()["interface"]

    @property
    def frequency(self) -> int:
        """MHz."""
        return self.wifi()["frequency"]

    @property
    def wifi_address(self) -> str:
        """The box's address on its Wi-Fi."""
        return self.wifi()["address"]

    def stations(self) -> list[str]:
        """MAC addresses of who is on the Wi-Fi."""
        return sorted(station["address"].lower() for station in self.wifi()["stations"] if station["authorized"])

    def pids(self) -> list[int]:
        """The box's process and its children."""
        return [self.pid, *children(self.pid)]


class StandIn:
    """What the other access points share: a name, a passphrase, an address with dnsmasq on it."""

    ssid = "rig"
    passphrase = "correct horse battery"
    frequency = 2437
    wifi_address = "10.78.0.1"

    def __init__(self, air: Air, security: str = "transition", *, radio: str | None = None):
        self.air = air
        self.security = security
        self.interface = radio or air.radios[0]
        self.programs: list[Program] = []

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def start(self, *arguments: str, environment: dict | None = None) -> Program:
        program = Program(*arguments, environment=environment)
        self.programs.append(program)
        return program

    def serve(self) -> None:
        """Addresses, names and a captive portal's option, as a box has them."""
        run("ip", "addr", "replace", f"{self.wifi_address}/24", "dev", self.interface)
        self.start(
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--bind-dynamic",
            f"--interface={self.interface}", "--except-interface=lo", f"--address=/#/{self.wifi_address}",
            f"--dhcp-range={self.wifi_address.rpartition('.')[0]}.10,{self.wifi_address.rpartition('.')[0]}.250,12h",
            "--dhcp-option-force=114,http://10.78.0.1/", "--dhcp-authoritative", "--no-ping",
            "--dhcp-leasefile=/run/rig-leases", "--pid-file=")

    def pids(self) -> list[int]:
        return [program.pid for program in self.programs]

    def describe(self) -> str:
        return "\n".join(program.log()[-6000:] for program in self.programs)

    def end(self) -> None:
        """End all programs."""
        for program in reversed(self.programs):
            program.stop()
        self.programs.clear()

    def close(self) -> None:
        self.end()
        run("ip", "addr", "flush", "dev", self.interface, check=False)


class Hostapd(StandIn):
    """hostapd and dnsmasq."""

    KEYS = {
        "wpa2": "wpa_key_mgmt=WPA-PSK\nieee80211w=1\n",
        "wpa3": "wpa_key_mgmt=SAE\nieee80211w=2\n",
        "transition": "wpa_key_mgmt=WPA-PSK WPA-PSK-SHA256 SAE\nieee80211w=1\nsae_require_mfp=1\n",
    }

    def __init__(self, air: Air, security: str = "transition", config: dict | None = None, *, radio: str | None = None,
                 ssid: str = StandIn.ssid, start: bool = True):
        super().__init__(air, security, radio=radio)
        self.ssid = ssid
        # Of a box's settings those that it has as well; its channel stays.
        rekey = (config or {}).get("wifi.rekey", 3600)
        self.configuration = (
            f"interface={self.interface}\ndriver=nl80211\nctrl_interface=/run/hostapd\nssid={self.ssid}\n"
            "country_code=GB\nieee80211d=1\nhw_mode=g\nchannel=6\nieee80211n=1\nwmm_enabled=1\n"
            f"wpa=2\nrsn_pairwise=CCMP\nwpa_group_rekey={rekey}\nsae_pwe=2\nsae_groups=19\n"
            f"wpa_passphrase={self.passphrase}\nsae_password={self.passphrase}\n" + self.KEYS[security])
        if start:
            self.begin()
            self.serve()
            self.wait_up()

    def begin(self) -> None:
        """Start hostapd alone."""
        file = Path(f"/run/rig-hostapd-{self.interface}.conf")
        file.write_text(self.configuration)
        self.start("hostapd", "-t", str(file))

    def wait_up(self) -> None:
        wait_until(lambda: "state=ENABLED" in self.control("status"), UP_LIMIT, "hostapd is up", every=0.05,
                   detail=self.describe)

    def control(self, *arguments: str) -> str:
        """`hostapd_cli` with these arguments."""
        return run("hostapd_cli", "-p", "/run/hostapd", "-i", self.interface, *arguments, check=False)

    def stations(self) -> list[str]:
        station, found = None, []
        for line in self.control("all_sta").splitlines():
            if line.count(":") == 5 and "=" not in line:
                station = line.strip()
            elif line.startswith("flags=") and "[AUTHORIZED]" in line:
                found.append(station)
        return sorted(found)


class IWDAccessPoint(StandIn):
    """iwd as an access point, which has its own DHCP server and no DNS. It knows WPA2 only."""

    def __init__(self, air: Air, security: str = "wpa2", *, start: bool = True):
        super().__init__(air, security)
        assert security == "wpa2"
        self.daemon: IWD | None = None
        if start:
            self.begin()
            self.serve()

    def begin(self) -> None:
        """Start iwd and have it be an access point."""
        self.daemon = IWD(None, self.ssid, self.passphrase, settings="[IPv4]\nAPAddressPool=10.78.0.0/24\n",
                          network_configuration=True)
        profiles = self.daemon.directory / "state/ap"
        profiles.mkdir()
        (profiles / f"{self.ssid}.ap").write_text(
            f"[General]\nChannel=6\n[Security]\nPassphrase={self.passphrase}\n[IPv4]\nAddress={self.wifi_address}\n"
            "Netmask=255.255.255.0\n")
        # iwd takes the radio over and makes an interface of its own when it can, and then its object is there.
        for words in (("device", self.interface, "set-property", "Mode", "ap"),
                      ("ap", self.interface, "start-profile", self.ssid)):
            wait_until(lambda: not self.daemon.control(*words).strip(), UP_LIMIT, f"iwd does {' '.join(words)}", every=0.02,
                       detail=self.describe)

    def serve(self) -> None:
        """It serves itself."""

    def pids(self) -> list[int]:
        return [self.daemon.pid]

    def describe(self) -> str:
        return self.daemon.log() if self.daemon else ""

    def end(self) -> None:
        if self.daemon:
            self.daemon.close()
            self.daemon = None


class WiredBox(RadioBox):
    """A box without a Wi-Fi of its own, with an access point of another make on a cable: hostapd, on an interface that
    the box takes for one."""

    def __init__(self, air: Air, security: str = "transition", config: dict | None = None, **_):
        self.radio = Hostapd(air, security, start=False)
        self.radio.begin()
        try:
            self.radio.wait_up()
            super().__init__(air, security, {
                **(config or {}), "wifi.mode": "wired", "wifi.interface": self.radio.interface, "country": None,
                "wifi.security": None})
        except BaseException:
            self.radio.close()
            raise

    def wait_up(self, timeout: float = UP_LIMIT) -> None:
        wait_until(lambda: self.wifi_address, timeout, "the box has its address on the cable", every=0.1,
                   detail=self.describe)

    def rotate(self) -> str:
        return Box.rotate(self)

    up = True
    ssid, passphrase, frequency = StandIn.ssid, StandIn.passphrase, StandIn.frequency
    interface = property(lambda self: self.radio.interface)

    @property
    def wifi_address(self) -> str | None:
        told = json.loads(run("ip", "-j", "-4", "addr", "show", "dev", self.interface))
        return next((entry["local"] for link in told for entry in link.get("addr_info", [])), None)

    def stations(self) -> list[str]:
        return self.radio.stations()

    def close(self) -> None:
        super().close()
        self.radio.close()


def children(pid: int) -> list[int]:
    """A process's children and theirs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            found += [child, *children(child)]
    return found
