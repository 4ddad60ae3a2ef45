"""The network of a box's own Wi-Fi without a radio: an access point of another make on a cable.

    with Lan() as lan, lan.start_box() as box:
        ada = lan.phone("ada")
        ada.ask("udhcpc")

The box's namespace has a bridge `wifi` in the place of that access point, and each phone is a port of it with nothing but
what it is given by DHCP. A third namespace, `uplink`, is the rest of the world: the box is joined to it by a cable, has its
default route through it, and its owner lets the machine forward packets.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from Rig import network
from Rig.box import Box
from Rig.network import PREFIX, run, sweep
from Rig.waiting import wait_until

UPLINK = "192.168.200"
"""The network between the box (.1) and the rest of the world (.2)."""

UPLINK_V6 = "2001:db8:200"

CLIENTS = ("udhcpc", "dhclient", "systemd-networkd")
"""DHCP clients that phones and laptops resemble."""

CLIENT_LIMIT = 30.0
"""Seconds a client may take for an address. It needs a tenth of one; systemd-networkd needs a few to start."""

UDHCPC_SCRIPT = """#!/bin/sh
case $1 in
bound | renew)
    ip -4 address flush dev "$interface"
    ip address add "$ip/$mask" dev "$interface"
    [ -z "$router" ] || ip route replace default via "$router"
    {{ echo "address=$ip"; echo "router=$router"; echo "dns=$dns"; echo "seconds=$lease"; echo "api=$opt114"; }} >{answer}
    ;;
esac
"""

DHCLIENT_CONFIGURATION = """
option captive-portal code 114 = text;
request subnet-mask, broadcast-address, routers, domain-name-servers, captive-portal;
"""

DHCLIENT_SCRIPT = """#!/bin/sh
case $reason in
BOUND | RENEW | REBIND | REBOOT)
    ip -4 address flush dev "$interface"
    ip address add "$new_ip_address/24" dev "$interface"
    [ -z "$new_routers" ] || ip route replace default via "$new_routers"
    {{ echo "address=$new_ip_address"; echo "router=$new_routers"; echo "dns=$new_domain_name_servers"
       echo "seconds=$new_dhcp_lease_time"; echo "api=$new_captive_portal"; }} >{answer}.new
    mv {answer}.new {answer}
    ;;
esac
"""

NETWORKD = """[Match]
Name=wlan
[Network]
DHCP=ipv4
IPv6AcceptRA=yes
LinkLocalAddressing=ipv6
[DHCPv4]
ClientIdentifier=mac
"""


class Lease(NamedTuple):
    """What a phone was told by DHCP; a client that does not tell leaves None."""

    address: str
    router: str | None
    dns: str | None
    seconds: int | None
    api: str | None


class Phone:
    """A phone that knows nothing yet."""

    def __init__(self, lan: Lan, name: str, number: int):
        self.lan = lan
        self.name = name
        self.namespace = f"{lan.prefix}p{number}"
        self.mac = f"02:00:00:00:01:{number:02x}"
        self.outer = f"phone{number}"
        self.directory = Path(tempfile.mkdtemp(prefix="kibitz-phone-"))
        self.address: str | None = None
        self._daemon: subprocess.Popen | None = None
        run("ip", "netns", "add", self.namespace)
        lan.namespaces.append(self.namespace)
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        run("ip", "-n", lan.box, "link", "add", self.outer, "type", "veth", "peer", "name", "wlan", "address", self.mac,
            "netns", self.namespace)
        run("ip", "-n", lan.box, "link", "set", self.outer, "master", "wifi", "up")
        run("ip", "-n", self.namespace, "link", "set", "wlan", "up")

    def run(self, *arguments: str, check: bool = True, stdin: str | None = None) -> str:
        """A command on this phone."""
        return run("ip", "netns", "exec", self.namespace, *arguments, check=check, stdin=stdin)

    # Addresses

    def ask(self, client: str = "udhcpc") -> Lease:
        """Ask for an address as a client of this name does, and use it."""
        lease = {"udhcpc": self._udhcpc, "dhclient": self._dhclient, "systemd-networkd": self._networkd}[client]()
        self.address = lease.address
        return lease

    def _script(self, text: str) -> tuple[Path, Path]:
        answer, script = self.directory / "answer", self.directory / "script"
        answer.unlink(missing_ok=True)
        script.write_text(text.format(answer=answer))
        script.chmod(0o755)
        return script, answer

    def _lease(self, answer: Path, api) -> Lease:
        values = dict(line.split("=", 1) for line in answer.read_text().splitlines())
        return Lease(values["address"], values["router"] or None, values["dns"] or None, int(values["seconds"]),
                     api(values["api"]) if values["api"] else None)

    def _udhcpc(self) -> Lease:
        script, answer = self._script(UDHCPC_SCRIPT)
        self.run("udhcpc", "-i", "wlan", "-f", "-n", "-q", "-t", "5", "-T", "1", "-O", "114", "-s", str(script))
        return self._lease(answer, lambda text: bytes.fromhex(text).decode())

    def _dhclient(self) -> Lease:
        script, answer = self._script(DHCLIENT_SCRIPT)
        configuration = self.directory / "dhclient.conf"
        configuration.write_text(DHCLIENT_CONFIGURATION)
        # In the foreground: one that goes to the background is gone from its parent before it has written who it is.
        with open(self.directory / "dhclient.log", "ab") as log:
            client = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, "dhclient", "-4", "-1", "-d", "--no-pid", "-cf", str(configuration),
                 "-sf", str(script), "-lf", str(self.directory / "dhclient.leases"), "wlan"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            wait_until(answer.exists, CLIENT_LIMIT, "dhclient has an address",
                       detail=lambda: (self.directory / "dhclient.log").read_text()[-3000:])
        finally:
            client.kill()
            client.wait()
        return self._lease(answer, lambda text: text.strip('"'))

    def _networkd(self) -> Lease:
        # Without udev and with files of its own: what it would share with the machine lies in these directories.
        for name in ("network", "run"):
            (self.directory / name).mkdir(exist_ok=True)
        (self.directory / "network/wlan.network").write_text(NETWORKD)
        self.directory.chmod(0o755)
        self.run("sysctl", "-q", "-w", "net.ipv6.conf.wlan.accept_ra=0")
        log = open(self.directory / "networkd.log", "ab")
        self._daemon = subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, "unshare", "-m", "sh", "-c",
             "mount --make-rprivate / && mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd && "
             f"mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases && "
             f"cp {self.directory}/network/wlan.network /run/systemd/network/ && "
             "chown -R systemd-network:systemd-network /run/systemd/netif && mount -o remount,bind,ro /sys && "
             "exec /lib/systemd/systemd-networkd"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_until(lambda: self.addresses(4), CLIENT_LIMIT, "systemd-networkd has an address",
                   detail=lambda: (self.directory / "networkd.log").read_text()[-3000:])
        route = self.run("ip", "-4", "route", "show", "default")
        return Lease(self.addresses(4)[0], re.search(r"via (\S+)", route)[1], None, None, None)

    def addresses(self, family: int) -> list[str]:
        """The phone's addresses of a family, without link-local ones."""
        text = self.run("ip", f"-{family}", "-o", "address", "show", "dev", "wlan", "scope", "global")
        return re.findall(r"inet6? ([0-9a-f.:]+)/", text)

    def take_mac(self, mac: str) -> None:
        """Be another device, with no address."""
        self.run("ip", "link", "set", "wlan", "down")
        self.run("ip", "link", "set", "wlan", "address", mac)
        self.run("ip", "link", "set", "wlan", "up")
        self.run("ip", "-4", "address", "flush", "dev", "wlan")
        self.mac, self.address = mac, None

    # Reaching others

    def reaches(self, address: str, count: int = 3) -> bool:
        """Whether any of a few pings is answered, sent until one is."""
        return subprocess.run(
            ["ip", "netns", "exec", self.namespace, "ping", "-q", "-c", str(count), "-i", "0.2", "-W", "1", address],
            capture_output=True, timeout=network.LIMIT).returncode == 0

    def connects(self, address: str, port: int, timeout: float = 2) -> str:
        """`open`, `refused`, `unreachable` or `silent`: what comes of a TCP connection."""
        program = ("import socket,sys\n"
                   "s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)\n"
                   "s.settimeout(float(sys.argv[3]))\n"
                   "try: s.connect((sys.argv[1], int(sys.argv[2]))); print('open')\n"
                   "except TimeoutError: print('silent')\n"
                   "except ConnectionRefusedError: print('refused')\n"
                   "except OSError as error: print('unreachable')\n")
        return self.run("python3", "-c", program, address, str(port), str(timeout)).strip()

    def curl(self, *arguments: str, resolver: str | None = None) -> subprocess.CompletedProcess:
        """curl on this phone, its names asked of `resolver`; the answer as bytes."""
        resolv = self.directory / "resolv.conf"
        resolv.write_text(f"nameserver {resolver}\noptions timeout:2 attempts:1\n" if resolver else "")
        return subprocess.run(
            ["ip", "netns", "exec", self.namespace, "unshare", "-m", "sh", "-c",
             'mount --make-rprivate / && mount --bind "$0" /etc/resolv.conf && exec curl --silent --max-time 10 "$@"',
             str(resolv), *arguments], capture_output=True, timeout=network.LIMIT)

    def close(self) -> None:
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Lan:
    """The namespaces of a box with an access point on a cable, of the rest of the world, and of phones."""

    _count = 0

    def __init__(self):
        sweep()
        Lan._count += 1
        self.prefix = f"{PREFIX}{os.getpid()}n9{Lan._count}"
        self.box = f"{self.prefix}box"
        self.uplink = f"{self.prefix}up"
        self.namespaces: list[str] = []
        self.phones: dict[str, Phone] = {}
        try:
            for namespace in (self.box, self.uplink):
                run("ip", "netns", "add", namespace)
                self.namespaces.append(namespace)
                run("ip", "-n", namespace, "link", "set", "lo", "up")
            run("ip", "-n", self.box, "link", "add", "wifi", "address", "02:00:00:00:00:01", "type", "bridge")
            # A port that is always there, so that the bridge has a carrier before the first phone comes.
            run("ip", "-n", self.box, "link", "add", "air", "type", "veth", "peer", "name", "ether")
            for end in ("air", "ether"):
                run("ip", "-n", self.box, "link", "set", end, "addrgenmode", "none", "up")
            run("ip", "-n", self.box, "link", "set", "air", "master", "wifi")
            run("ip", "-n", self.box, "link", "add", "eth", "type", "veth", "peer", "name", "eth", "netns", self.uplink)
            for namespace, host in ((self.box, 1), (self.uplink, 2)):
                run("ip", "-n", namespace, "address", "add", f"{UPLINK}.{host}/24", "dev", "eth")
                run("ip", "-n", namespace, "address", "add", f"{UPLINK_V6}::{host}/64", "dev", "eth", "nodad")
                run("ip", "-n", namespace, "link", "set", "eth", "up")
                for setting in ("ipv4.ip_forward", "ipv6.conf.all.forwarding"):
                    run("ip", "netns", "exec", namespace, "sysctl", "-q", "-w", f"net.{setting}=1")
            run("ip", "-n", self.box, "route", "add", "default", "via", f"{UPLINK}.2")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Lan:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def make_box(self, settings: dict | None = None) -> Box:
        """A box that is not started, with the ports of a service and the access point on its cable."""
        return Box({"addresses": None, "http.port": 80, "https.port": 443, "wifi": None, "wifi.mode": "wired",
                    "wifi.interface": "wifi", **(settings or {})}, namespace=self.box, start=False)

    def start_box(self, settings: dict | None = None) -> Box:
        """A box that runs and has its addresses."""
        box = self.make_box(settings)
        try:
            return box.start()
        except BaseException:
            box.close()
            raise

    def phone(self, name: str) -> Phone:
        """A phone of this name, made at the first call."""
        if name not in self.phones:
            self.phones[name] = Phone(self, name, len(self.phones) + 1)
        return self.phones[name]

    def in_box(self, *arguments: str, check: bool = True) -> str:
        """A command on the box's machine."""
        return run("ip", "netns", "exec", self.box, *arguments, check=check)

    def box_address(self) -> str | None:
        """The box's address on the Wi-Fi."""
        found = re.search(r"inet ([0-9.]+)/24", run("ip", "-4", "-o", "-n", self.box, "address", "show", "dev", "wifi"))
        return found and found[1]

    def dnsmasq(self) -> list[int]:
        """The processes of dnsmasq in the box's namespace."""
        pids = run("ip", "netns", "pids", self.box).split()
        names = {pid: Path(f"/proc/{pid}/comm") for pid in pids}
        return [int(pid) for pid, comm in names.items() if comm.exists() and comm.read_text().strip() == "dnsmasq"]

    def close(self) -> None:
        for phone in self.phones.values():
            phone.close()
        for namespace in reversed(self.namespaces):
            run("ip", "netns", "del", namespace, check=False)
        self.namespaces.clear()
        self.phones.clear()
