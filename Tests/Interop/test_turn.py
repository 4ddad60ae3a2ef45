"""STUN and TURN, as coturn's own clients see them, and what they must not be used for."""

from __future__ import annotations

import random
import re
import shutil
import socket
import struct
import subprocess
from typing import NamedTuple

import pytest

from Rig import network
from Rig.box import Box, command, free_port, yaml_text
from Rig.network import Network, inside
from Rig.waiting import wait_until

LIMIT = 40.0
"""Seconds one of coturn's programs may take; a session here is over in five."""

MAGIC_COOKIE = 0x2112A442


class Credentials(NamedTuple):
    username: str
    password: str


class Session(NamedTuple):
    """What `turnutils_uclient` said."""

    status: int
    sent: int
    received: int
    output: str


@pytest.fixture(scope="module", autouse=True)
def tools():
    """Fail, not skip, when coturn's programs are missing."""
    missing = [tool for tool in ("turnutils_uclient", "turnutils_stunclient", "turnutils_peer") if not shutil.which(tool)]
    assert not missing, f"{', '.join(missing)}: install Debian's package coturn"


def credentials(box: Box) -> Credentials:
    """What a page is given."""
    server = box.fetch("/api/turn").json()["iceServers"][-1]
    assert server["urls"] == [f"turn:{box.address}:{box.stun_port}?transport=udp"]
    return Credentials(server["username"], server["credential"])


def uclient(box: Box, login: Credentials, *options: str, namespace: str | None = None) -> Session:
    """Run `turnutils_uclient`: two clients without RTCP, ten messages each."""
    prefix = ["ip", "netns", "exec", namespace] if namespace else []
    result = subprocess.run(
        [*prefix, "turnutils_uclient", "-c", "-m", "2", "-n", "10", "-u", login.username, "-w", login.password,
         "-p", str(box.stun_port), *options, box.address],
        capture_output=True, text=True, timeout=LIMIT)
    output = result.stdout + result.stderr
    totals = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
    sent, received = map(int, totals[-1]) if totals else (0, 0)
    return Session(result.returncode, sent, received, output)


def binding(client: socket.socket, server: tuple[str, int], timeout: float = 2.0) -> tuple[str, int] | None:
    """Ask for this socket's address as the server sees it; None when no answer comes."""
    transaction = random.randbytes(12)
    client.settimeout(timeout)
    client.sendto(struct.pack("!HHI", 1, 0, MAGIC_COOKIE) + transaction, server)
    try:
        answer, sender = client.recvfrom(2048)
    except TimeoutError:
        return None
    assert sender == server
    kind, _, cookie = struct.unpack_from("!HHI", answer)
    assert (kind, cookie, answer[8:20]) == (0x0101, MAGIC_COOKIE, transaction)
    attribute, length, family, port, address = struct.unpack_from("!HHHHI", answer, 20)
    assert (attribute, length, family) == (0x0020, 8, 1)
    return socket.inet_ntoa(struct.pack("!I", address ^ MAGIC_COOKIE)), port ^ (MAGIC_COOKIE >> 16)


def refused(box: Box, cause: str) -> float:
    return box.metrics()[f'kibitz_turn_refused_total{{cause="{cause}"}}']


# STUN


def test_stun_tells_the_address(shared_box):
    result = subprocess.run(
        ["turnutils_stunclient", "-p", str(shared_box.stun_port), "127.0.0.1"], capture_output=True, text=True,
        timeout=LIMIT)
    assert re.search(r"UDP reflexive addr: 127\.0\.0\.1:\d+", result.stdout), result.stdout + result.stderr
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        assert binding(client, ("127.0.0.1", shared_box.stun_port)) == client.getsockname()


def test_the_answer_leaves_from_the_address_that_was_asked():
    """A server on all addresses that lets the kernel choose the source answers from another one than was asked, and the
    phone drops the answer."""
    with Network() as net:
        second = f"{net.subnet}.200"
        network.run("ip", "-n", net.box, "addr", "add", f"{second}/24", "dev", "bridge")
        phone = net.phone("ada")
        with Box({"addresses": [net.address]}, namespace=net.box) as box:
            with inside(phone.namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                for address in (net.address, second):
                    # Connected, so that the kernel drops what comes from elsewhere.
                    client.connect((address, box.stun_port))
                    own = client.getsockname()
                    client.settimeout(2)
                    client.send(struct.pack("!HHI", 1, 0, MAGIC_COOKIE) + bytes(12))
                    assert client.recv(2048)[:2] == b"\x01\x01", address
                    assert own[0] == phone.address


def test_a_firewall_that_says_no_for_a_while_stops_nothing_for_good():
    """A send that the system refuses once must not close the socket: so a box would end when a cable is loose."""
    with Network() as net, Box({"addresses": [net.address]}, namespace=net.box) as box:
        phone = net.phone("ada")
        with inside(phone.namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            server = (net.address, box.stun_port)
            assert binding(client, server)
            network.run("ip", "netns", "exec", net.box, "nft", "-f", "-", stdin=(
                "table inet refusal { chain output { type filter hook output priority 0; policy accept;\n"
                f"ip daddr {phone.address} udp sport {box.stun_port} reject\n}}\n}}\n"))
            assert binding(client, server, timeout=0.5) is None
            network.run("ip", "netns", "exec", net.box, "nft", "delete", "table", "inet", "refusal")
            assert binding(client, server)
            network.run("ip", "-n", net.box, "link", "set", "bridge", "down")
            assert binding(client, server, timeout=0.5) is None
            network.run("ip", "-n", net.box, "link", "set", "bridge", "up")
            wait_until(lambda: binding(client, server, timeout=0.5), 15, "STUN answers again", detail=box.describe)


# TURN


@pytest.mark.parametrize("options", [
    pytest.param([], id="channels"),
    pytest.param(["-s"], id="indications"),
    pytest.param(["-D"], id="padded channels"),
    pytest.param(["-l", "1200"], id="long"),
    pytest.param(["-s", "-l", "1200"], id="long indications"),
    pytest.param(["-X", "-G"], id="every request twice"),
])
def test_two_clients_reach_each_other(shared_box, options):
    before = shared_box.metrics()
    session = uclient(shared_box, credentials(shared_box), "-y", *options)
    assert session.status == 0 and session.sent == session.received == 20, session.output
    after = shared_box.metrics()
    relayed = 'kibitz_turn_packets_total{direction="between_clients"}'
    assert after[relayed] - before[relayed] >= 20, "between two of its clients the box relays without its network"
    assert after['kibitz_turn_packets_total{direction="to_peer"}'] == before['kibitz_turn_packets_total{direction="to_peer"}']


@pytest.mark.parametrize("options", [pytest.param([], id="channels"), pytest.param(["-s"], id="indications")])
def test_a_client_reaches_a_peer_on_the_network(options):
    """The peer here is a phone that does without TURN, so the data passes the sockets of relayed addresses."""
    with Network() as net, Box({"addresses": [net.address]}, namespace=net.box) as box:
        ada, ben = net.phone("ada"), net.phone("ben")
        peer = subprocess.Popen(
            ["ip", "netns", "exec", ada.namespace, "turnutils_peer", "-L", ada.address, "-p", "3480"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            session = uclient(box, credentials(box), "-e", ada.address, *options, namespace=ben.namespace)
        finally:
            peer.terminate()
            peer.wait()
        assert session.status == 0 and session.sent == session.received == 20, session.output
        metrics = box.metrics()
        assert metrics['kibitz_turn_packets_total{direction="to_peer"}'] >= 20
        assert metrics['kibitz_turn_packets_total{direction="from_peer"}'] >= 20


def test_the_well_known_credentials_are_good_while_discovery_is_on():
    """Kibitz's client relays with these when it found the box without a code; everyone knows them."""
    login = Credentials("wblan", "Sp64SHsXMZOdzT6rgYcF")
    with Box({"discovery": True}) as box:
        session = uclient(box, login, "-y")
        assert session.status == 0 and session.sent == session.received == 20, session.output
    with Box() as box:
        assert uclient(box, login, "-y").received == 0


@pytest.mark.parametrize("damage", ["password", "username", "expired"])
def test_wrong_credentials_are_refused(shared_box, damage):
    login = credentials(shared_box)
    login = {
        "password": login._replace(password="guess"),
        "username": login._replace(username="nobody"),
        # The name says until when it is good; changing it breaks the password made for it.
        "expired": login._replace(username=re.sub(r"^\d+", "1000000000", login.username)),
    }[damage]
    before = refused(shared_box, "unauthenticated")
    session = uclient(shared_box, login, "-y")
    assert session.status != 0 and session.received == 0 and "Cannot complete Allocation" in session.output
    assert refused(shared_box, "unauthenticated") > before


@pytest.mark.parametrize("peer, cause", [
    ("127.0.0.1", "peer_is_own_service"), ("8.8.8.8", "peer_not_allowed"), ("224.0.0.251", "peer_not_allowed"),
    ("255.255.255.255", "peer_not_allowed"),
])
@pytest.mark.parametrize("options", [pytest.param([], id="channels"), pytest.param(["-s"], id="indications")])
def test_peers_elsewhere_and_the_boxs_own_services_are_refused(shared_box, peer, cause, options):
    before = refused(shared_box, cause)
    session = uclient(shared_box, credentials(shared_box), "-e", peer, "-r", "22", *options)
    assert session.received == 0 and "error 403 (Forbidden)" in session.output, session.output
    assert refused(shared_box, cause) > before


def test_rotation_ends_the_sessions_of_the_old_credentials(box):
    login = credentials(box)
    # It hangs on after its last message, its allocations with it.
    session = subprocess.Popen(
        ["turnutils_uclient", "-c", "-y", "-h", "-m", "2", "-n", "2", "-u", login.username, "-w", login.password,
         "-p", str(box.stun_port), box.address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: box.metrics()["kibitz_turn_allocations"] > 0, 10, "an allocation is there", detail=box.describe)
        box.rotate()
        assert box.metrics()["kibitz_turn_allocations"] == 0
    finally:
        session.kill()
        session.wait()
    assert uclient(box, login, "-y").received == 0
    assert uclient(box, credentials(box), "-y").received == 20


def test_a_restart_needs_no_new_credentials(box):
    login = credentials(box)
    box.kill()
    box.start()
    assert uclient(box, login, "-y").received == 20


def test_without_turn_there_is_still_stun():
    with Box({"turn.enabled": False}) as box:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            assert binding(client, ("127.0.0.1", box.stun_port))
            client.settimeout(0.5)
            client.sendto(struct.pack("!HHI", 3, 0, MAGIC_COOKIE) + bytes(12), ("127.0.0.1", box.stun_port))
            with pytest.raises(TimeoutError):
                client.recv(2048)
        assert refused(box, "unexpected") == 1


# Bad input


def test_garbage_is_counted_and_disturbs_nobody(box):
    generator = random.Random(8489)
    before, memory = refused(box, "malformed"), box.rss()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        server = ("127.0.0.1", box.stun_port)
        for _ in range(3000):
            size = generator.choice([0, 1, 3, 4, 19, 20, 21, 100, 1200])
            head = generator.choice([b"", b"\x00\x01", b"\x40\x00\xff\xff", struct.pack("!HHI", 3, 4, MAGIC_COOKIE)])
            client.sendto(head + generator.randbytes(size), server)
        client.sendto(bytes(9000), server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        wait_until(lambda: binding(client, server, timeout=0.5), 5, "STUN answers", detail=box.describe)
    assert refused(box, "malformed") > before + 500
    assert refused(box, "oversized") == 1
    assert box.rss() < memory + 8_000_000
    assert uclient(box, credentials(box), "-y").received == 20


def test_a_flood_from_one_address_is_answered_within_bounds(box):
    """Whoever forges a sender must not make the box flood it with answers longer than the requests."""
    request = struct.pack("!HHI", 3, 0, MAGIC_COOKIE) + bytes(12)
    server = ("127.0.0.1", box.stun_port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for _ in range(20_000):
            client.sendto(request, server)
        # Another address is served all the same.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.2", 0))
            wait_until(lambda: binding(other, server, timeout=0.5), 10, "STUN answers", detail=box.describe)
    assert refused(box, "challenged") < 10_000
    assert refused(box, "rate_limited") > 1000


def test_a_taken_port_is_named(tmp_path):
    port = free_port(socket.SOCK_DGRAM)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("0.0.0.0", port))
        config = tmp_path / "config.yaml"
        config.write_text(yaml_text({
            "addresses": ["127.0.0.1"], "http.port": free_port(), "https.port": free_port(), "stun.port": port,
            "panel": "none"}))
        result = command("run", "--config", str(config), "--state", str(tmp_path / "state"))
    assert result.returncode != 0
    assert f"UDP port {port} is taken" in result.stderr, result.stderr
