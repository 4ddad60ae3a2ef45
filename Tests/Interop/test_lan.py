"""What phones meet on the box's own Wi-Fi besides the radio: addresses, names, and nothing beyond the box."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import time

import pytest

from Rig import network
from Rig.box import ROOT, command, yaml_text
from Rig.lan import CLIENTS, UPLINK, UPLINK_V6, Lan
from Rig.network import inside
from Rig.waiting import wait_until


@pytest.fixture(scope="module", autouse=True)
def _namespaces():
    trouble = network.trouble()
    if trouble:
        pytest.fail(trouble)


@pytest.fixture
def lan():
    with Lan() as made:
        yield made


@pytest.fixture(scope="module")
def shared():
    """A box on its Wi-Fi, for tests that leave it as it was."""
    with Lan() as made, made.start_box() as box:
        yield made, box


# Addresses


@pytest.mark.parametrize("client", CLIENTS)
def test_clients_get_what_they_need(shared, client):
    lan, _ = shared
    lease = lan.phone(client).ask(client)
    assert re.fullmatch(r"10\.77\.0\.\d+", lease.address)
    assert 10 <= int(lease.address.rpartition(".")[2]) <= 250
    # Without a router and a name server phones neither look for a portal nor stay.
    assert lease.router == "10.77.0.1"
    assert lease.dns in ("10.77.0.1", None)
    assert lease.seconds in (1800, None)
    assert lease.api in ("https://10.77.0.1/api/captive-portal", None)
    assert lan.phone(client).reaches("10.77.0.1")


def test_phones_reach_each_other(shared):
    lan, _ = shared
    ada, bob = lan.phone("ada"), lan.phone("bob")
    ada.ask(), bob.ask()
    assert ada.address != bob.address
    assert ada.reaches(bob.address) and bob.reaches(ada.address)


def test_an_address_comes_at_once(shared):
    """A phone that waits for its address shows a spinner: the box asks nobody before it gives one."""
    lan, _ = shared
    eve = lan.phone("eve")
    start = time.monotonic()
    eve.ask()
    assert time.monotonic() - start < 1.0


def test_phones_have_ipv6_addresses_for_each_other(shared):
    lan, _ = shared
    ada, bob = lan.phone("ada"), lan.phone("bob")
    for phone in (ada, bob):
        wait_until(lambda: phone.addresses(6), 20, "the phone has an address of the unique-local prefix")
    address = ada.addresses(6)[0]
    assert address.startswith("fd")
    assert ada.run("ip", "-6", "route", "show", "default") == "", "the box is no router of IPv6"
    box = re.search(r"inet6 (fd[0-9a-f:]+)/64", lan.in_box("ip", "-6", "address", "show", "dev", "wifi"))[1]
    assert ada.reaches(box, count=15), "an address made a moment ago may still be probed for duplicates"
    assert ada.reaches(bob.addresses(6)[0], count=15)


def test_leases_and_the_prefix_survive_a_power_cut(lan):
    with lan.start_box() as box:
        ada, bob = lan.phone("ada"), lan.phone("bob")
        address = ada.ask().address
        leases = (box.state / "leases").read_text()
        prefix = (box.state / "lan").read_text()
        assert ada.mac in leases and address in leases
        box.kill()
        box.start()
        assert (box.state / "leases").read_text() == leases
        assert (box.state / "lan").read_text() == prefix
        # Another phone that asks for just this address does not get it: the box knows whose it is.
        answer = bob.directory / "answer"
        script, _ = bob._script("#!/bin/sh\n[ $1 = bound ] && echo $ip >{answer}\nexit 0\n")
        bob.run("udhcpc", "-i", "wlan", "-f", "-n", "-q", "-t", "5", "-T", "1", "-r", address, "-s", str(script))
        assert answer.read_text().strip() != address
        assert ada.ask().address == address


def test_a_damaged_lease_file_or_prefix_stops_nothing(lan):
    with lan.start_box() as box:
        box.kill()
        (box.state / "leases").write_bytes(b"\x00\xffhalf a li")
        (box.state / "lan").write_bytes(b"kibitz-local lan 1 fd1234")
        box.start()
        assert lan.phone("ada").ask().address.startswith("10.77.0.")
        assert re.fullmatch(r"kibitz-local lan 1 fd[0-9a-f]{10}\n", (box.state / "lan").read_text())


# The child


def test_dnsmasq_is_restarted_when_it_dies(lan):
    with lan.start_box() as box:
        for _ in range(3):
            (pid,) = wait_until(lan.dnsmasq, 15, "dnsmasq runs", detail=box.describe)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: lan.dnsmasq() and lan.dnsmasq() != [pid], 15, "another dnsmasq runs", detail=box.describe)
        assert lan.phone("ada").ask().address
        wait_until(lambda: box.status()["trouble"] == [], 5, "the trouble is over", detail=box.describe)
        assert "dnsmasq does not run" in box.log()


def test_dnsmasq_has_few_powers(shared):
    lan, _ = shared
    (pid,) = lan.dnsmasq()
    status = open(f"/proc/{pid}/status").read()
    assert not re.search(r"^Uid:\s+0\b", status, re.M), "it is not root"
    # CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW (linux/capability.h).
    assert int(re.search(r"^CapEff:\s+(\w+)", status, re.M)[1], 16) == 1 << 10 | 1 << 12 | 1 << 13
    assert re.search(r"^NoNewPrivs:\s+1", status, re.M)


def test_the_units_powers_suffice(lan):
    """What the service unit leaves of root's powers is enough for all of it, from the first start to the end."""
    unit = (ROOT / "overlays/rootfs/usr/lib/systemd/system/kibitz-local.service").read_text()
    powers = " ".join(re.findall(r"^CapabilityBoundingSet=(.*)$", unit, re.M)).lower().split()
    bounding = ",".join(["-all", *("+" + power.removeprefix("cap_") for power in powers)])
    box = lan.make_box()
    box.prefix = [*box.prefix, "setpriv", "--bounding-set", bounding, "--no-new-privs"]
    with box.start():
        effective = re.search(r"^CapEff:\s+(\w+)", open(f"/proc/{box.pid}/status").read(), re.M)[1]
        assert int(effective, 16).bit_count() == len(powers), "the test's premise"
        ada = lan.phone("ada")
        address = ada.ask().address
        (pid,) = wait_until(lan.dnsmasq, 5, "dnsmasq runs", detail=box.describe)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: lan.dnsmasq() and lan.dnsmasq() != [pid], 15, "another dnsmasq runs", detail=box.describe)
        assert ada.ask().address == address, "the file of leases, which is another user's by now, is opened again"
        assert lan.in_box("sysctl", "-n", "net.ipv4.conf.wifi.forwarding").strip() == "0"
        assert box.status()["trouble"] == []
        assert box.terminate() == 0
        assert lan.dnsmasq() == [] and lan.in_box("nft", "list", "tables") == ""


def test_dnsmasq_dies_with_the_box(lan):
    with lan.start_box() as box:
        wait_until(lan.dnsmasq, 5, "dnsmasq runs")
        box.kill()
        wait_until(lambda: not lan.dnsmasq(), 5, "dnsmasq is gone")


def test_missing_dnsmasq_is_told_with_its_mend(lan):
    box = lan.make_box()
    box.prefix = [*box.prefix, "unshare", "-m", "sh", "-c",
                  'mount --make-rprivate / && mount --bind /dev/null /usr/sbin/dnsmasq && exec "$0" "$@"']
    with box.start():
        wait_until(lambda: box.status()["trouble"], 5, "the box says what is wrong", detail=box.describe)
        assert any("apt install dnsmasq-base" in line for line in box.status()["trouble"])
        # By now some seconds pass from one attempt to the next; nobody waits for that.
        time.sleep(3)
        start = time.monotonic()
        assert box.terminate() == 0
        assert time.monotonic() - start < 1.5


def test_port_of_another_name_server_is_told(lan):
    """Somebody's own dnsmasq holds port 53 for every address."""
    with inside(lan.box):
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with holder:
        holder.bind(("0.0.0.0", 53))
        with lan.start_box() as box:
            wait_until(lambda: any("dnsmasq does not run" in line for line in box.status()["trouble"]), 10,
                       "the box says that dnsmasq does not run", detail=box.describe)
            holder.close()
            wait_until(lambda: box.status()["trouble"] == [], 30, "it runs once the port is free", detail=box.describe)


def test_everything_is_as_before_when_the_box_has_stopped(lan):
    lan.in_box("sysctl", "-q", "-w", "net.ipv6.conf.wifi.accept_ra=1")
    before = lan.in_box("sysctl", "-a", "--pattern", r"conf\.wifi\.")
    with lan.start_box() as box:
        assert lan.in_box("sysctl", "-a", "--pattern", r"conf\.wifi\.") != before
        assert "kibitz-local" in lan.in_box("nft", "list", "tables")
        assert lan.box_address() == "10.77.0.1"
        assert box.terminate() == 0
        assert lan.dnsmasq() == []
        assert lan.in_box("nft", "list", "tables") == ""
        assert lan.box_address() is None
        assert lan.in_box("sysctl", "-a", "--pattern", r"conf\.wifi\.") == before


def test_what_a_killed_box_left_is_taken_over(lan):
    with lan.start_box() as box:
        box.kill()
        assert "kibitz-local" in lan.in_box("nft", "list", "tables")
        lan.in_box("ip", "address", "add", "172.31.5.1/24", "dev", "wifi")
        box.start()
        assert lan.in_box("nft", "list", "tables").split() == ["table", "inet", "kibitz-local"]
        assert lan.box_address() == "10.77.0.1", "addresses of others are taken from the interface"
        assert lan.phone("ada").ask().address


def test_an_interface_that_is_not_there_yet(lan):
    """A USB adapter is plugged in later: its network comes up by itself."""
    with lan.start_box({"wifi.interface": "wifi9"}) as box:
        assert "there is no network interface wifi9; plug it in, or correct wifi.interface" in box.status()["trouble"]
        lan.in_box("ip", "link", "set", "wifi", "name", "wifi9")
        wait_until(lambda: box.status()["trouble"] == [], 15, "the trouble is over", detail=box.describe)
        assert "10.77.0.1" in box.status()["addresses"]


def test_a_cable_has_no_wifi_code(shared):
    _, box = shared
    result = box.command("qr", "--wifi")
    assert result.returncode != 0 and "makes no Wi-Fi of its own" in result.stderr
    assert box.command("qr", "--wifi", "--hub").returncode != 0
    assert box.status()["wifi"] is None


def test_an_interface_that_goes_and_comes_back(lan):
    """An adapter is pulled and plugged in again, or another program takes the address away."""
    with lan.start_box() as box:
        lan.in_box("ip", "address", "del", "10.77.0.1/24", "dev", "wifi")
        wait_until(lambda: lan.box_address() == "10.77.0.1", 5, "the address is back", detail=box.describe)
        lan.in_box("ip", "-4", "address", "flush", "dev", "wifi")
        lan.in_box("ip", "link", "set", "wifi", "down")
        lan.in_box("ip", "link", "set", "wifi", "name", "gone")
        wait_until(lambda: box.status()["trouble"], 5, "the box misses its interface", detail=box.describe)
        assert lan.dnsmasq() == []
        lan.in_box("ip", "link", "set", "gone", "name", "wifi")
        wait_until(lambda: box.status()["trouble"] == [], 15, "the trouble is over", detail=box.describe)
        assert lan.phone("ada").ask().address
        assert lan.phone("ada").reaches("10.77.0.1")


def test_an_interface_that_is_a_bridges_port(lan):
    """What comes in by a port counts as the bridge's, past the firewall of the Wi-Fi: phones reached all of the machine."""
    lan.in_box("ip", "link", "add", "br0", "up", "type", "bridge")
    lan.in_box("ip", "link", "set", "ether", "master", "br0")
    with lan.make_box({"wifi.interface": "ether"}) as box:
        box.start()

        def trouble() -> bool:
            return any("is a port of a bridge" in text for text in box.status()["trouble"])

        def address() -> bool:
            return "10.77.0.1/24" in lan.in_box("ip", "-4", "address", "show", "dev", "ether")

        wait_until(trouble, 5, "the bridge is told of", detail=box.describe)
        assert not address() and lan.dnsmasq() == []
        lan.in_box("ip", "link", "set", "ether", "nomaster")
        wait_until(address, 15, "the network is up", detail=box.describe)
        wait_until(lambda: box.status()["trouble"] == [], 5, "the trouble is over", detail=box.describe)
        # While it runs. It was noticed half a minute later once, when the box looked.
        lan.in_box("ip", "link", "set", "ether", "master", "br0")
        wait_until(trouble, 2, "the bridge is told of again", detail=box.describe)
        assert not address() and lan.dnsmasq() == []


def test_ipv6_comes_back(lan):
    """The kernel takes addresses of IPv6 from an interface that goes down, and keeps those of IPv4."""
    with lan.start_box() as box:
        def held() -> bool:
            return "inet6 fd" in lan.in_box("ip", "-6", "address", "show", "dev", "wifi")

        assert held()
        server = lan.dnsmasq()
        lan.in_box("ip", "link", "set", "wifi", "down")
        lan.in_box("ip", "link", "set", "wifi", "up")
        wait_until(held, 10, "the box has its address of IPv6 again", detail=box.describe)
        assert lan.box_address() == "10.77.0.1"
        # Everything else went on: it was begun anew for that, and phones had no name server meanwhile.
        assert server and lan.dnsmasq() == server
        assert "are 10.77.0.0/24 on wifi" in box.log() and box.log().count("are 10.77.0.0/24 on wifi") == 1
        lease = lan.phone("ada").ask()
        assert lease.address
        wait_until(lambda: "inet6 fd" in lan.phone("ada").run("ip", "-6", "address", "show"), 20,
                   "routers are advertised still", detail=box.describe)
        # The link-local address, too, which the kernel does not make again: without one no router was advertised.
        lan.in_box("ip", "address", "flush", "dev", "wifi")
        wait_until(lambda: held() and lan.box_address() == "10.77.0.1", 10, "the box has its addresses again", detail=box.describe)
        wait_until(lambda: "inet6 fd" in lan.phone("eve").run("ip", "-6", "address", "show"), 20,
                   "routers are advertised again", detail=box.describe)
        assert box.terminate() == 0
        assert "inet" not in lan.in_box("ip", "address", "show", "dev", "wifi"), "the box took its addresses along"


def test_doctor_names_what_is_missing(lan):
    box = lan.make_box()
    box.config_file.write_text(yaml_text(box.settings))
    prefix = [*box.prefix, "unshare", "-m", "sh", "-c",
              'mount --make-rprivate / && mount --bind /dev/null /usr/sbin/dnsmasq && exec "$0" "$@"']
    arguments = ("doctor", "--config", box.config_file, "--state", box.state)
    try:
        sick, well = command(*arguments, prefix=prefix), command(*arguments, prefix=box.prefix)
    finally:
        box.close()
    assert sick.returncode != 0 and "apt install dnsmasq-base" in sick.stdout + sick.stderr
    assert well.returncode == 0, well.stdout + well.stderr


# Names


def dns(phone, name: str, kind: int, server: str) -> tuple[int, list[bytes]]:
    """One question over UDP. Returns the response code and the data of each answer."""
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0" + struct.pack("!2H", kind, 1)
    with inside(phone.namespace):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with client:
        client.settimeout(3)
        client.sendto(struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + question, (server, 53))
        answer = client.recv(4096)
    _, flags, _, count, _, _ = struct.unpack_from("!6H", answer)
    place, data = 12 + len(question), []
    for _ in range(count):
        (length,) = struct.unpack_from("!H", answer, place + 10)  # the name is a pointer of two octets
        data.append(answer[place + 12:place + 12 + length])
        place += 12 + length
    return flags & 15, data


A, PTR, AAAA, SVCB, HTTPS = 1, 12, 28, 64, 65


def test_every_name_is_the_box(shared):
    lan, _ = shared
    ada = lan.phone("ada")
    server = ada.ask().router
    box = bytes(map(int, server.split(".")))
    for name in ("captive.apple.com", "connectivitycheck.gstatic.com", "kibitz.chat", "a.b.c.example", "box.local"):
        assert dns(ada, name, A, server) == (0, [box]), name
        # No such record, and not an error: phones would ask again and again, or another server.
        assert dns(ada, name, AAAA, server) == (0, []), name
        assert dns(ada, name, HTTPS, server) == (0, []), name
    assert dns(ada, "1.0.77.10.in-addr.arpa", PTR, server) == (0, [])
    assert dns(ada, "_dns.resolver.arpa", SVCB, server) == (0, [])


def test_names_that_mean_something_to_systems(shared):
    lan, _ = shared
    ada = lan.phone("ada")
    server = ada.ask().router
    nothing = (3, [])
    for name in ("mask.icloud.com", "mask-h2.icloud.com", "use-application-dns.net", "wpad"):
        assert dns(ada, name, A, server) == nothing, name
    assert dns(ada, "dns.msftncsi.com", A, server) == (0, [bytes([131, 107, 255, 255])])
    # RFC 7050: a synthesized AAAA here would make phones send all IPv4 through a translator.
    assert dns(ada, "ipv4only.arpa", AAAA, server) == (0, [])
    assert sorted(dns(ada, "ipv4only.arpa", A, server)[1]) == [bytes([192, 0, 0, 170]), bytes([192, 0, 0, 171])]


def test_phones_put_no_names_into_the_dns(shared):
    lan, _ = shared
    bob, ada = lan.phone("bob"), lan.phone("ada")
    script, _ = bob._script("#!/bin/sh\nexit 0\n")
    bob.run("udhcpc", "-i", "wlan", "-f", "-n", "-q", "-x", "hostname:bank", "-s", str(script))
    server = ada.ask().router
    assert dns(ada, "bank", A, server)[1] == [bytes(map(int, server.split(".")))]


# The firewall


@pytest.fixture
def listener(shared):
    """A function that listens on a TCP port of every address of the box's machine, as an SSH server does."""
    lan, _ = shared
    sockets = []

    def listen(port: int, namespace: str = lan.box):
        with inside(namespace):
            opened = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        sockets.append(opened)
        return opened

    yield listen
    for opened in sockets:
        opened.close()


def test_only_public_ports_are_reached(shared, listener):
    lan, box = shared
    ada = lan.phone("ada")
    server = ada.ask().router
    ada_v6 = wait_until(lambda: ada.addresses(6), 20, "the phone has an IPv6 address")
    assert ada_v6
    box_v6 = re.search(r"inet6 (fd[0-9a-f:]+)/64", lan.in_box("ip", "-6", "address", "show", "dev", "wifi"))[1]
    assert ada.connects(server, 53) == "refused", "DNS is for UDP"
    assert ada.reaches(box_v6, count=15), "an address made a moment ago may still be probed for duplicates"
    for port in (22, 9090, 50000):
        listener(port)
        # Refused, so that programs on the phone do not wait; from the box itself it is open.
        assert ada.connects(server, port) == "refused", port
        assert ada.connects(box_v6, port) == "refused", port
        with inside(lan.box):
            opened = socket.socket()
        with opened:
            opened.settimeout(2)
            opened.connect((server, port))
    assert ada.connects(server, 80) == "open" and ada.connects(server, 443) == "open"


def test_metrics_are_not_for_phones(shared):
    lan, box = shared
    ada = lan.phone("ada")
    server = ada.ask().router
    answer = ada.curl("--include", f"http://{server}/metrics")
    assert answer.stdout.startswith(b"HTTP/1.1 404")
    assert box.metrics()["kibitz_uptime_seconds"] >= 0, "they are there on the box itself"


def test_the_boxes_other_addresses_are_not_reached(shared, listener):
    lan, _ = shared
    ada = lan.phone("ada")
    ada.ask()
    assert ada.connects(f"{UPLINK}.1", 80, timeout=1) == "silent"
    assert not ada.reaches(f"{UPLINK}.1")


def test_nothing_is_forwarded(shared, listener):
    """The machine's owner lets it forward between other networks; the Wi-Fi takes no part in that."""
    lan, box = shared
    ada = lan.phone("ada")
    address = ada.ask().address
    listener(8000, lan.uplink)
    ada.run("ip", "-6", "route", "replace", "default", "via",
            re.search(r"inet6 (fd[0-9a-f:]+)/64", lan.in_box("ip", "-6", "address", "show", "dev", "wifi"))[1])
    network.run("ip", "-n", lan.uplink, "route", "replace", "10.77.0.0/24", "via", f"{UPLINK}.1")
    # The way is there: the box's machine reaches the world, and its owner's forwarding is as it was.
    lan.in_box("ping", "-q", "-c", "1", "-W", "2", f"{UPLINK}.2")
    for setting in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv4.conf.eth.forwarding"):
        assert lan.in_box("sysctl", "-n", setting).strip() == "1", setting
    for setting in ("net.ipv4.conf.wifi.forwarding", "net.ipv6.conf.wifi.forwarding"):
        assert lan.in_box("sysctl", "-n", setting).strip() == "0", setting

    captures = lan.in_box("sh", "-c", "nft add table inet test; nft 'add chain inet test post { type filter hook "
                          "postrouting priority 300; }'; nft 'add rule inet test post oifname eth counter'")
    assert captures == ""

    def sent_to_uplink() -> int:
        return int(re.search(r"packets (\d+)", lan.in_box("nft", "list", "chain", "inet", "test", "post"))[1])

    try:
        before = sent_to_uplink()
        assert ada.connects(f"{UPLINK}.2", 8000) == "unreachable", "told at once"
        assert ada.connects(f"{UPLINK_V6}::2", 8000) == "unreachable"
        assert ada.connects("198.51.100.7", 443) == "unreachable"
        assert not ada.reaches(f"{UPLINK}.2")
        ada.run("ping", "-q", "-c", "2", "-W", "1", f"{UPLINK_V6}::2", check=False)
        assert sent_to_uplink() == before, "not a single packet of the phone's left by the cable"
        # And from the world to a phone.
        result = subprocess.run(["ip", "netns", "exec", lan.uplink, "ping", "-q", "-c", "3", "-i", "0.2", "-W", "1", address],
                                capture_output=True, timeout=15)
        assert result.returncode != 0
        # Even where somebody sets the forwarding of every interface anew.
        lan.in_box("sysctl", "-q", "-w", "net.ipv4.ip_forward=0")
        lan.in_box("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        assert lan.in_box("sysctl", "-n", "net.ipv4.conf.wifi.forwarding").strip() == "1", "the kernel sets all"
        before = sent_to_uplink()
        assert ada.connects(f"{UPLINK}.2", 8000) == "unreachable"
        assert sent_to_uplink() == before
        # The interface has its own back: `nft flush ruleset` alone opens no way. A box looks twice a minute.
        wait_until(lambda: lan.in_box("sysctl", "-n", "net.ipv4.conf.wifi.forwarding").strip() == "0", 45,
                   "the Wi-Fi's interface forwards nothing again", detail=box.describe)
        assert lan.in_box("sysctl", "-n", "net.ipv4.ip_forward").strip() == "1", "the owner's stays"
        assert box.log().count("changed what the kernel does") == 1
    finally:
        lan.in_box("nft", "delete", "table", "inet", "test")


def test_phones_fill_no_table_of_connections(lan):
    """The redirection of port 80 made the kernel keep track of all that a phone sends, until the machine had no room for a
    connection of its own."""
    with lan.start_box({"http.port": 8080, "https.port": 8443}):
        ada = lan.phone("ada")
        ada.ask()

        def tracked() -> int:
            return int(lan.in_box("sysctl", "-n", "net.netfilter.nf_conntrack_count"))

        before = tracked()
        assert ada.connects("10.77.0.1", 80) == "open"
        assert tracked() == before + 1, "what is redirected is kept track of"
        before = tracked()
        for _ in range(300):
            with inside(ada.namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"x", ("10.77.0.1", 3478))
        assert ada.connects("10.77.0.1", 8443) == "open" and ada.reaches("10.77.0.1")
        assert tracked() == before


def test_forged_sources_are_dropped(shared):
    """A phone that poses as a machine of another network, to be relayed to or to be answered for."""
    lan, _ = shared
    ada = lan.phone("ada")
    server = ada.ask().router
    ada.run("ip", "address", "add", f"{UPLINK}.77/32", "dev", "wlan")
    try:
        result = subprocess.run(
            ["ip", "netns", "exec", ada.namespace, "ping", "-q", "-c", "2", "-W", "1", "-I", f"{UPLINK}.77", server],
            capture_output=True, timeout=15)
        assert result.returncode != 0
    finally:
        ada.run("ip", "address", "del", f"{UPLINK}.77/32", "dev", "wlan")


class Rules:
    """What the kernel tells of changes of its rules while a test runs."""

    def __init__(self, lan: Lan):
        self.process = subprocess.Popen(["ip", "netns", "exec", lan.box, "nft", "monitor"],
                                        stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)

    def end(self) -> list[list[str]]:
        """What became of the box's table, step by step: each of the kernel's steps is seen whole or not at all."""
        time.sleep(0.5)
        self.process.terminate()
        steps = re.split(r"^# new generation.*$", self.process.communicate(timeout=5)[0], flags=re.M)
        changes = [re.findall(r"^(add|delete) table inet kibitz-local", step, re.M) for step in steps]
        return [step for step in changes if step]


def test_the_firewall_stays_while_the_network_comes_up_again(lan):
    """Phones are on the Wi-Fi all the while: its rules are replaced in one step, and never just taken away."""
    with lan.start_box() as box:
        rules = Rules(lan)
        lan.in_box("ip", "address", "del", "10.77.0.1/24", "dev", "wifi")
        wait_until(lambda: lan.box_address() == "10.77.0.1", 5, "the address is back", detail=box.describe)
        lan.in_box("ip", "link", "set", "wifi", "down")
        lan.in_box("ip", "link", "set", "wifi", "name", "gone")
        wait_until(lambda: box.status()["trouble"], 5, "the box misses its interface", detail=box.describe)
        assert "kibitz-local" in lan.in_box("nft", "list", "tables")
        lan.in_box("ip", "link", "set", "gone", "name", "wifi")
        wait_until(lambda: box.status()["trouble"] == [], 15, "the trouble is over", detail=box.describe)
        steps = rules.end()
        assert steps and all(step[-1] == "add" for step in steps), steps
        assert lan.in_box("sysctl", "-n", "net.ipv4.conf.wifi.forwarding").strip() == "0"


def test_an_adapter_that_is_plugged_in_again_is_shut_off_all_the_while(lan):
    """It has another index then, and its name. A box that is stopped has not heard of it."""
    with lan.start_box() as box:
        ada = lan.phone("ada")
        ada.ask()
        with inside(lan.box):
            server = socket.create_server(("0.0.0.0", 22))
        with server:
            assert ada.connects("10.77.0.1", 22) == "refused"
            os.kill(box.pid, signal.SIGSTOP)
            try:
                lan.in_box("ip", "link", "del", "wifi")
                lan.in_box("ip", "link", "add", "wifi", "address", "02:00:00:00:00:01", "up", "type", "bridge")
                for port in ("air", ada.outer):
                    lan.in_box("ip", "link", "set", port, "master", "wifi")
                lan.in_box("ip", "address", "add", "10.77.0.1/24", "dev", "wifi")
                assert ada.reaches("10.77.0.1", count=15)
                assert ada.connects("10.77.0.1", 22) == "refused"
            finally:
                os.kill(box.pid, signal.SIGCONT)

            def rules() -> str:
                return lan.in_box("nft", "list", "table", "inet", "kibitz-local")

            # The former index has no name any more.
            wait_until(lambda: 'iif != "wifi"' in rules(), 45, "the rules know the new one", detail=lambda: box.describe() + rules())
            assert ada.connects("10.77.0.1", 22) == "refused"


def test_the_firewall_is_put_back(lan):
    """`systemctl restart nftables` flushes the rules of everybody; emptied chains, and a rule more, let everything through."""
    meddling = [
        ["flush", "ruleset"],
        ["flush", "table", "inet", "kibitz-local"],
        ["insert", "rule", "inet", "kibitz-local", "input", "accept"],
        ["add", "table", "inet", "kibitz-local", "{ flags dormant; }"],
    ]

    def rules() -> str:
        return lan.in_box("nft", "--terse", "--stateless", "list", "ruleset")

    def mended() -> int:
        return box.log().count("changed the firewall of the Wi-Fi, or took it away")

    with lan.start_box() as box:
        whole = rules()
        time.sleep(1)
        for times, meddle in enumerate(meddling * 2, 1):
            lan.in_box("nft", *meddle)
            wait_until(lambda: rules() == whole, 5, f"the firewall is back after {meddle}", detail=box.describe)
            assert mended() == times
        time.sleep(1)
        monitor = Rules(lan)
        lan.in_box("ip", "-6", "address", "flush", "dev", "wifi", "scope", "global")
        wait_until(lambda: "inet6 fd" in lan.in_box("ip", "-6", "address", "show", "dev", "wifi"), 45,
                   "the box has its address of IPv6 again", detail=box.describe)
        assert monitor.end() == [] and mended() == 2 * len(meddling), "rules that are as they should be were touched"
        assert box.terminate() == 0
        assert lan.in_box("nft", "list", "tables") == ""


def discover(mac: bytes, number: int) -> bytes:
    """A DHCPDISCOVER with rapid commit (RFC 4039), which takes a lease with one message."""
    return (struct.pack("!4BIHH16s", 1, 1, 6, 0, number, 0, 0x8000, b"") + mac + b"\0" * 202
            + b"\x63\x82\x53\x63" + b"\x35\x01\x01" + b"\x50\x00" + b"\xff")


def test_one_phone_can_not_take_all_addresses(lan):
    with lan.start_box() as box:
        eve = lan.phone("eve")
        eve.ask()
        with inside(eve.namespace):
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"wlan")
            client.bind(("", 68))
            for number in range(1000):
                client.sendto(discover(b"\x02\xee" + struct.pack("!I", number), number), ("255.255.255.255", 67))
        time.sleep(1)
        taken = len((box.state / "leases").read_text().splitlines())
        assert 10 < taken < 40, "some, since it may ask; but a bounded number"
        assert lan.phone("ada").ask().address, "others are served"


def test_a_phone_may_come_back_often(lan):
    """At the edge of the radio's reach, or while its owner tries one thing after another."""
    with lan.start_box():
        ada = lan.phone("ada")
        assert len({ada.ask().address for _ in range(12)}) == 1


# Where the addresses are in use


def test_a_range_in_use_is_avoided(lan):
    lan.in_box("ip", "address", "add", "10.77.0.50/16", "dev", "eth")
    with lan.start_box() as box:
        address = lan.phone("ada").ask().address
        assert address.startswith("10.78.0.")
        assert box.status()["addresses"][0] == "10.78.0.1"


def test_a_range_that_a_vpn_routes_is_avoided(lan):
    lan.in_box("ip", "route", "add", "10.0.0.0/8", "via", f"{UPLINK}.2")
    with lan.start_box():
        assert lan.phone("ada").ask().address.startswith("172.27.77.")


def test_the_wifi_moves_when_a_cable_brings_its_range(lan):
    with lan.start_box() as box:
        ada = lan.phone("ada")
        assert ada.ask().address.startswith("10.77.0.")
        lan.in_box("ip", "address", "add", "10.77.0.50/24", "dev", "eth")
        wait_until(lambda: lan.box_address() == "10.78.0.1", 10, "the Wi-Fi has other addresses", detail=box.describe)
        assert ada.ask().address.startswith("10.78.0.")
        assert ada.reaches("10.78.0.1")
        wait_until(lambda: box.link.startswith("http://10.78.0.1/"), 5, "the link is the new one", detail=box.describe)


def test_the_owners_range(lan):
    with lan.start_box({"wifi.subnet": "192.168.50.0/24"}) as box:
        assert lan.phone("ada").ask().address.startswith("192.168.50.")
        assert box.link.startswith("http://192.168.50.1/#"), "people are on the Wi-Fi, so its address comes first"
