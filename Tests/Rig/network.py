"""A box's network and its phones, as network namespaces.

    with Network() as network:
        box = Box({"addresses": [network.address]}, namespace=network.box)
        ada = network.phone("ada")

One namespace holds the box and a bridge with the address 10.x.y.1/24; each phone is a namespace joined to that bridge by
a veth pair, its default route through the box, as a phone on the box's Wi-Fi has it. No namespace has a link to the
machine's own network. Names begin with a prefix of this process, and what a killed run left behind is swept at the start.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import subprocess
import threading
from pathlib import Path

from Rig.waiting import PATIENCE, wait_until

PREFIX = "kbzr"
"""Begins the name of every namespace of this rig."""

CLONE_NEWNET = 0x40000000
NAMESPACES = Path("/run/netns")
LIMIT = 15 * PATIENCE
"""Seconds any one network command may take."""


def run(*arguments: str, check: bool = True, stdin: str | None = None) -> str:
    """Run a network command to its end and return what it printed."""
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=LIMIT, input=stdin)
    if check and result.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {result.stderr.strip()}")
    return result.stdout


def trouble() -> str | None:
    """Why namespaces can't be made here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    probe = f"{PREFIX}{os.getpid()}probe"
    try:
        run("ip", "netns", "add", probe)
    except (RuntimeError, FileNotFoundError) as error:
        return f"network namespaces can't be made here: {error}"
    run("ip", "netns", "del", probe)
    return None


@contextlib.contextmanager
def inside(namespace: str | None):
    """Let this thread make its sockets in a namespace. A socket stays in the namespace it was made in."""
    if namespace is None:
        yield
        return
    setns = ctypes.CDLL(None, use_errno=True).setns
    with open(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net") as here, \
            open(NAMESPACES / namespace) as there:
        if setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        try:
            yield
        finally:
            if setns(here.fileno(), CLONE_NEWNET) != 0:
                # Going on in the wrong namespace would make every later answer a lie.
                os._exit(70)


class Phone:
    """One phone's namespace."""

    def __init__(self, network: Network, name: str, number: int):
        self.network = network
        self.name = name
        self.namespace = f"{network.prefix}{name}"
        self.address = f"{network.subnet}.{number}"
        self.outer = f"phone{number}"
        self.inner = "wlan0"
        self._blocks = 0
        run("ip", "netns", "add", self.namespace)
        network.namespaces.append(self.namespace)
        # IPv6's search for duplicates would end two seconds later, and Chromium drop what it is loading then: the
        # network has changed.
        run("ip", "netns", "exec", self.namespace, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")
        run("ip", "-n", network.box, "link", "add", self.outer, "type", "veth",
            "peer", "name", self.inner, "netns", self.namespace)
        run("ip", "-n", network.box, "link", "set", self.outer, "master", "bridge", "up")
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        run("ip", "-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", self.inner)
        self.up()

    def down(self) -> None:
        """Lose the Wi-Fi."""
        run("ip", "-n", self.namespace, "link", "set", self.inner, "down")

    def up(self) -> None:
        """Have the Wi-Fi (again); the default route went with the link."""
        run("ip", "-n", self.namespace, "link", "set", self.inner, "up")
        run("ip", "-n", self.namespace, "route", "replace", "default", "via", self.network.address)

    @contextlib.contextmanager
    def without_wifi(self):
        """No Wi-Fi for as long as the block runs."""
        self.down()
        try:
            yield
        finally:
            self.up()

    @contextlib.contextmanager
    def out_of_range(self):
        """Nothing gets through for as long as the block runs, while the phone still takes itself for connected."""
        run("ip", "-n", self.network.box, "link", "set", self.outer, "nomaster")
        try:
            yield
        finally:
            run("ip", "-n", self.network.box, "link", "set", self.outer, "master", "bridge")

    @contextlib.contextmanager
    def blocked(self, what: str):
        """Let nothing of a kind out to the box for as long as the block runs, in nftables' words: `meta l4proto tcp`."""
        self._blocks += 1
        table = f"blocked{self._blocks}"
        run("ip", "netns", "exec", self.namespace, "nft", "-f", "-", stdin=(
            f"table inet {table} {{\n"
            "  chain output {\n"
            "    type filter hook output priority 0; policy accept;\n"
            f"    ip daddr {self.network.address} {what} drop\n"
            "  }\n}\n"))
        try:
            yield
        finally:
            run("ip", "netns", "exec", self.namespace, "nft", "delete", "table", "inet", table)

    def without_web(self):
        """No TCP to the box, as where the browser distrusts its certificate: the page it has must do with the hub."""
        return self.blocked("meta l4proto tcp")

    def move(self, number: int) -> None:
        """Take another address, as a phone does that comes back after its lease was given away."""
        run("ip", "-n", self.namespace, "addr", "flush", "dev", self.inner)
        self.address = f"{self.network.subnet}.{number}"
        run("ip", "-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", self.inner)
        run("ip", "-n", self.namespace, "route", "replace", "default", "via", self.network.address)

    def hear_only_box(self) -> None:
        """Drop whatever comes from other phones, as an access point does that isolates its stations."""
        run("ip", "netns", "exec", self.namespace, "nft", "-f", "-", stdin=(
            "table inet isolation {\n"
            "  chain input {\n"
            "    type filter hook input priority 0; policy accept;\n"
            f"    ip saddr {self.network.subnet}.0/24 ip saddr != {{ {self.network.address}, {self.address} }} "
            "counter drop\n"
            "  }\n}\n"))

    def dropped(self) -> int:
        """Packets that `hear_only_box` dropped."""
        return sum(map(int, re.findall(r"counter packets (\d+)", run(
            "ip", "netns", "exec", self.namespace, "nft", "list", "table", "inet", "isolation"))))

    def hear_all(self) -> None:
        """Undo `hear_only_box`."""
        run("ip", "netns", "exec", self.namespace, "nft", "delete", "table", "inet", "isolation", check=False)


class Network:
    """A box's namespace with its bridge, and the phones on it."""

    _count = 0

    def __init__(self):
        sweep()
        Network._count += 1
        self.prefix = f"{PREFIX}{os.getpid()}n{Network._count}"
        # A subnet for each network, only so that a capture or a log tells them apart: they share nothing.
        self.subnet = f"10.{os.getpid() % 200 + 20}.{Network._count % 250}"
        self.address = f"{self.subnet}.1"
        self.box = f"{self.prefix}box"
        self.namespaces = []
        self.phones: dict[str, Phone] = {}
        try:
            run("ip", "netns", "add", self.box)
            self.namespaces.append(self.box)
            run("ip", "-n", self.box, "link", "set", "lo", "up")
            # An address given to a bridge stays. Otherwise it takes the lowest of its ports', another one whenever such
            # a phone comes, and phones that know the old one can't reach the box for half a minute.
            run("ip", "-n", self.box, "link", "add", "bridge", "address", "02:00:00:00:00:01", "type", "bridge")
            # A port that is always there: an access point is on the air before the first phone comes.
            run("ip", "-n", self.box, "link", "add", "air", "type", "veth", "peer", "name", "ether")
            for end in ("air", "ether"):
                run("ip", "-n", self.box, "link", "set", end, "addrgenmode", "none", "up")
            run("ip", "-n", self.box, "link", "set", "air", "master", "bridge")
            run("ip", "-n", self.box, "addr", "add", f"{self.address}/24", "dev", "bridge")
            run("ip", "-n", self.box, "link", "set", "bridge", "up")
            # The kernel takes up to a second to say that a link is up, and until then nobody's network is there.
            wait_until(lambda: "state UP" in run("ip", "-n", self.box, "link", "show", "dev", "bridge"), LIMIT,
                       "the bridge is up")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def phone(self, name: str) -> Phone:
        """A phone of this name, made at the first call."""
        if name not in self.phones:
            self.phones[name] = Phone(self, name, len(self.phones) + 10)
        return self.phones[name]

    def close(self) -> None:
        """Remove the namespaces; their links go with them."""
        for namespace in reversed(self.namespaces):
            run("ip", "netns", "del", namespace, check=False)
        self.namespaces.clear()
        self.phones.clear()


def sweep() -> None:
    """Remove what test processes that are gone left behind."""
    for line in run("ip", "netns", "list", check=False).splitlines():
        name = line.split()[0] if line.split() else ""
        owner = re.match(rf"{PREFIX}(\d+)n\d", name)
        if owner and not Path(f"/proc/{owner[1]}").exists():
            run("ip", "netns", "del", name, check=False)
