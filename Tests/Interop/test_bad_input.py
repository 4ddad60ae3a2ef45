"""Whatever a client sends, the box lives, nobody else notices, its memory stays bounded, and what it dropped is counted."""

from __future__ import annotations

import contextlib
import random
import resource
import socket
import ssl
import struct
import time

import pytest

from Rig.box import Box
from Rig.pair import Pair
from Rig.waiting import wait_until

MEGABYTE = 1024 * 1024

GROWTH_LIMIT = 24 * MEGABYTE
"""By how many bytes one kind of bad input may raise the box's memory."""

WORST_DELAY = 1.0
"""Seconds any frame of the well-behaved pair may take while the test machine's two cores are busy with the attack."""

MEDIAN_DELAY = 0.1


@pytest.fixture(scope="module")
def target():
    """One box for the whole module: what one test leaves broken shows in the next."""
    with Box({"log.level": "info"}) as running:
        # Memory that grows only once (pools, caches, TLS) is not what a limit is about: have it grow before.
        for secure in (False, True):
            running.fetch("/", secure=secure)
        with Pair(f"ws://127.0.0.1:{running.http_port}", "warm-up") as pair:
            time.sleep(0.5)
            pair.stop()
        yield running


@contextlib.contextmanager
def nobody_notices(box: Box, *counters: str, growth: int = GROWTH_LIMIT):
    """A pair of good clients goes on undisturbed, memory never grows by more than `growth` bytes, and one of these
    `/metrics` series rises."""
    counted = _sum(box, counters)
    box.watch_peak()
    memory = box.rss()
    pid = box.pid
    with Pair(f"ws://127.0.0.1:{box.http_port}") as pair:
        yield
        delays = pair.stop()
    assert box.alive and box.pid == pid
    assert box.fetch("/api/room").status == 200
    grown = box.peak() - memory
    print(f"pair: {delays}; memory {memory / MEGABYTE:.1f} MB, grown by {grown / MEGABYTE:.1f} MB")
    assert delays.worst < WORST_DELAY and delays.median < MEDIAN_DELAY, delays
    assert grown < growth, f"the box's memory grew by {grown / MEGABYTE:.1f} MB"
    wait_until(lambda: _sum(box, counters) > counted, 15, f"{' or '.join(counters)} counts it", detail=box.metrics)


def _sum(box: Box, series: tuple[str, ...]) -> float:
    values = box.metrics()
    found = [value for name, value in values.items() if any(name.startswith(wanted) for wanted in series)]
    assert found, f"/metrics has none of {series}: {sorted(values)}"
    return sum(found)


# Sockets by hand: a client library would refuse to be this rude.


def web_socket(box: Box, name: str, *, receive_buffer: int | None = None) -> socket.socket:
    """A raw connection after the WebSocket handshake and the broker's OPEN."""
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", box.http_port))
    connection.sendall((
        f"GET /peerjs?key=peerjs&id={name}&token=t&version=1.5.5 HTTP/1.1\r\nHost: box\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode())
    received = b""
    while b'"OPEN"' not in received:
        piece = connection.recv(4096)
        assert piece, received
        received += piece
    return connection


def frame(payload: bytes, *, opcode: int = 1, final: bool = True, length: int | None = None, masked: bool = True) -> bytes:
    """One WebSocket frame (RFC 6455 section 5.2); `length` may lie."""
    length = len(payload) if length is None else length
    head = bytes([(0x80 if final else 0) | opcode])
    mark = 0x80 if masked else 0
    if length < 126:
        head += bytes([mark | length])
    elif length < 65536:
        head += bytes([mark | 126]) + struct.pack(">H", length)
    else:
        head += bytes([mark | 127]) + struct.pack(">Q", length)
    return head + (b"\0\0\0\0" if masked else b"") + payload  # a mask of zeros leaves the payload as it is


def close_code(connection: socket.socket) -> int | None:
    """The code of the close frame that comes, or None when the connection ends without one."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
            while len(received) >= 2:
                opcode, length, start = received[0] & 15, received[1] & 127, 2
                if length == 126:
                    length, start = int.from_bytes(received[2:4]), 4
                elif length == 127:
                    length, start = int.from_bytes(received[2:10]), 10
                if len(received) < start + length:
                    break
                if opcode == 8:
                    return int.from_bytes(received[start:start + 2]) if length >= 2 else None
                received = received[start + length:]
    return None


def reset(connection: socket.socket) -> None:
    """Close with RST, as a crash does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


# WebSocket

PROTOCOL = "kibitz_websocket_errors_total"
DROPPED = "kibitz_signaling_dropped_total"


def test_torn_frames(target):
    """Clients that vanish in the middle of a frame, by FIN and by RST, and one that stays and sends no more."""
    text = b'{"type":"OFFER","dst":"pair-a","payload":{}}'
    whole = frame(text)
    with nobody_notices(target, PROTOCOL):
        staying = web_socket(target, "torn-stays")
        staying.sendall(whole[:9])
        for number in range(60):
            connection = web_socket(target, f"torn{number}")
            connection.sendall(whole[:1 + number % (len(whole) - 1)])
            reset(connection) if number % 2 else connection.close()
        # Frames no peer may send: reserved bits, no such opcode, no mask, a long ping, a piece of nothing, not UTF-8.
        for number, (bad, code) in enumerate((
                (b"\xf1\x80\0\0\0\0", 1002), (frame(text, opcode=5), 1002), (frame(text, masked=False), 1002),
                (frame(b"x" * 200, opcode=9), 1002), (frame(text, opcode=0), 1002), (frame(b"\xff\xfe"), 1007))):
            with web_socket(target, f"broken{number}") as connection:
                connection.sendall(bad)
                assert close_code(connection) == code
        staying.close()


def test_messages_that_are_no_messages(target):
    """Not JSON, not an object, nested a hundred thousand deep: dropped and counted, the connection kept."""
    with nobody_notices(target, DROPPED), web_socket(target, "talks-nonsense") as connection:
        for text in (b"", b"{", b"null", b"[]", b'{"type":7}', b'{"type":"OFFER","dst":{}}', b'"OFFER"',
                     b"[" * 60_000, b'{"type":"OFFER","dst":"pair-a","payload":' + b'{"a":' * 10_000,
                     b'{"type":"OFFER","dst":"' + b"\\ud800" * 100 + b'"}', b'{"type":"NO-SUCH-TYPE"}'):
            connection.sendall(frame(text))
        # It is kept: a frame to itself comes back.
        connection.sendall(frame(b'{"type":"OFFER","dst":"talks-nonsense","payload":"still here"}'))
        received = b""
        while b"still here" not in received:
            piece = connection.recv(65536)
            assert piece, f"the connection was closed after {received!r}"
            received += piece


@pytest.mark.parametrize("pieces", [1, 2500], ids=["one frame", "2,500 continuation frames"])
def test_message_of_10_megabytes(target, pieces):
    """Refused at the limit, and what comes after it is not kept."""
    piece = b"x" * (10 * MEGABYTE // pieces)
    with nobody_notices(target, PROTOCOL, growth=4 * MEGABYTE), web_socket(target, f"huge{pieces}") as connection:
        with contextlib.suppress(ConnectionError, TimeoutError):
            for number in range(pieces):
                connection.sendall(frame(piece, opcode=0 if number else 1, final=number == pieces - 1))
        # With data unread the end comes as a reset, which may overtake the close frame.
        assert close_code(connection) in ((1009, None) if pieces == 1 else (1009,))


def test_reader_that_does_not_read(target):
    """Frames for a client that never reads are bounded; the one who sends them and everyone else go on."""
    with nobody_notices(target, DROPPED):
        sleeper = web_socket(target, "sleeper", receive_buffer=4096)
        flood = frame(b'{"type":"OFFER","dst":"sleeper","payload":"' + b"x" * 16_000 + b'"}')
        with web_socket(target, "flooder") as flooder:
            flooder.settimeout(2)
            with contextlib.suppress(ConnectionError, TimeoutError):
                for _ in range(2000):  # 32 MB
                    flooder.sendall(flood)
        sleeper.close()


def test_http_reader_that_does_not_read(target):
    """Thousands of requests for the page in one go, the answers never read."""
    with nobody_notices(target, "kibitz_connections_accepted_total"):
        connections = []
        for _ in range(20):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", target.http_port))
            connection.settimeout(0.2)
            with contextlib.suppress(ConnectionError, TimeoutError):
                connection.sendall(b"GET / HTTP/1.1\r\nHost: box\r\n\r\n" * 2000)
            connections.append(connection)
        for connection in connections:
            reset(connection)


# Every port


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_garbage_on_tcp(target, secure):
    """Random bytes, one protocol on the other's port, and greetings of others."""
    generator = random.Random(1)
    greetings = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + generator.randbytes(300),
                 b"SSH-2.0-OpenSSH_9.6\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"EHLO box\r\n", b"\0" * 5000,
                 b"GET / HTTP/1.1\r\nHost: box\r\n\r\n", b"GET\r\n\r\n", b"\r\n" * 5000]
    with nobody_notices(target, "kibitz_connections_closed_total{cause=\"malformed\"}"):
        for number in range(150):
            data = greetings[number] if number < len(greetings) else generator.randbytes(generator.randrange(1, 4000))
            with socket.create_connection(("127.0.0.1", target.https_port if secure else target.http_port), 5) as client:
                with contextlib.suppress(OSError):  # whichever way the box ended it
                    client.sendall(data)
                    client.shutdown(socket.SHUT_WR)
                    client.settimeout(5)
                    while client.recv(65536):
                        pass


def test_garbage_on_udp(target):
    """Random datagrams, STUN with lying lengths, requests cut short, ChannelData for channels that are not there."""
    generator = random.Random(2)
    cookie = bytes.fromhex("2112a442")
    binding = bytes.fromhex("00010000") + cookie + bytes(12)
    with nobody_notices(target, "kibitz_turn_refused_total"), \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(1)
        client.connect(("127.0.0.1", target.stun_port))
        for number in range(20_000):
            match number % 5:
                case 0: data = generator.randbytes(generator.randrange(0, 1500))
                case 1: data = binding[:generator.randrange(0, 20)]
                case 2:
                    kind = generator.choice((0x0001, 0x0003, 0x0004, 0x0006, 0x0008, 0x0009, 0x0016, 0x0101))
                    data = struct.pack(">HH", kind, generator.randrange(65536)) + cookie + generator.randbytes(
                        generator.randrange(12, 200))
                case 3:
                    body = b"".join(struct.pack(">HH", generator.randrange(65536), generator.randrange(40))
                                    + generator.randbytes(generator.randrange(40)) for _ in range(4))
                    data = struct.pack(">HH", 0x0003, len(body)) + cookie + generator.randbytes(12) + body
                case _: data = struct.pack(">HH", generator.randrange(0x4000, 0x8000), 65535) + b"x" * 50
            client.send(data)
            if number % 200 == 199:
                time.sleep(0.01)  # the kernel's own queue shall not be what drops them
        # It still answers who asks properly.
        answer = None
        for _ in range(5):
            client.send(binding)
            deadline = time.monotonic() + 1
            with contextlib.suppress(TimeoutError):
                while time.monotonic() < deadline and answer is None:
                    received = client.recv(2048)
                    if received[:2] == b"\x01\x01" and received[8:20] == bytes(12):
                        answer = received
            if answer:
                break
        assert answer, "no Binding answer after the garbage"


# Many


def test_5000_half_open_connections(target):
    """Connections that say nothing, or half of something, from other addresses of the machine. A newcomer gets in at
    once all the while, and the box lets go of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 6000:
        pytest.fail(f"this needs 6,000 descriptors; the hard limit here is {hard} (mend: ulimit -Hn 6000)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 6000), hard))
    starts = [
        (False, b""), (True, b""), (False, b"GET / HTTP/1.1\r\nHost: b"), (False, b"POST /api/session HTTP/1.1\r\n"),
        (True, bytes.fromhex("1603010200010001fc0303") + b"\0" * 40)]
    before = target.descriptors()
    connections = []
    try:
        with nobody_notices(target, 'kibitz_connections_closed_total{cause="evicted"}'):
            slowest = 0.0
            for number in range(5000):
                secure, data = starts[number % len(starts)]
                connection = socket.socket()
                connections.append(connection)
                connection.settimeout(5)
                connection.bind((f"127.0.0.{2 + number % 50}", 0))
                with contextlib.suppress(ConnectionError, TimeoutError):
                    connection.connect(("127.0.0.1", target.https_port if secure else target.http_port))
                    connection.sendall(data)
                if number % 500 == 499:
                    for secure in (False, True):
                        start = time.monotonic()
                        assert target.fetch("/", secure=secure).status == 200
                        slowest = max(slowest, time.monotonic() - start)
            print(f"the slowest newcomer waited {slowest * 1000:.0f} ms, the box had {target.descriptors()} descriptors")
            assert slowest < 2
        wait_until(lambda: target.descriptors() <= before + 5, 20, "the box let go of all half-open connections",
                   detail=target.descriptors)
    finally:
        for connection in connections:
            reset(connection)


def test_request_that_never_ends(target):
    """A header byte now and then does not hold a connection for ever."""
    with nobody_notices(target, 'kibitz_connections_closed_total{cause="timed_out"}'), \
            socket.create_connection(("127.0.0.1", target.http_port), 5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nX: ")
        start = time.monotonic()
        client.settimeout(0.3)
        while time.monotonic() - start < 20:
            try:
                client.sendall(b"x")
                if client.recv(4096) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("the box waited 20 s for the end of a header")


# HTTP


def ask(box: Box, request: bytes, *, secure: bool = False) -> tuple[int | None, bytes]:
    """Send bytes as they are; the status of the first answer, None when there was none, and all that came."""
    with socket.create_connection(("127.0.0.1", box.https_port if secure else box.http_port), 10) as plain:
        client = ssl._create_unverified_context().wrap_socket(plain) if secure else plain
        received = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            client.sendall(request)
        client.settimeout(3)
        with contextlib.suppress(ConnectionError, TimeoutError):
            while piece := client.recv(65536):
                received += piece
        return (int(received[9:12]) if received.startswith(b"HTTP/1.") else None), received


CLOSE = b"Host: box\r\nConnection: close\r\n"

ODD_REQUESTS = {
    "huge header": b"GET / HTTP/1.1\r\n" + CLOSE + b"X: " + b"x" * MEGABYTE + b"\r\n\r\n",
    "20,000 headers": b"GET / HTTP/1.1\r\n" + CLOSE + b"X: y\r\n" * 20_000 + b"\r\n",
    "huge path": b"GET /" + b"x" * MEGABYTE + b" HTTP/1.1\r\n" + CLOSE + b"\r\n",
    "no such method": b"BREW / HTTP/1.1\r\n" + CLOSE + b"\r\n",
    "no such version": b"GET / HTTP/7.0\r\n" + CLOSE + b"\r\n",
    "negative length": b"POST /api/session HTTP/1.1\r\n" + CLOSE + b"Content-Length: -5\r\n\r\n",
    "two lengths": b"POST /api/session HTTP/1.1\r\n" + CLOSE + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "length and chunks": (b"POST /api/session HTTP/1.1\r\n" + CLOSE
                          + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    "bad chunk": b"POST /api/session HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "body not JSON": b"POST /api/session HTTP/1.1\r\n" + CLOSE + b"Content-Length: 3\r\n\r\n\xff\0{",
    "body too large": (b"POST /api/session HTTP/1.1\r\n" + CLOSE + b"Content-Length: 10485760\r\n\r\n"
                       + b"x" * 10_485_760),
    "NUL in the path": b"GET /\0 HTTP/1.1\r\n" + CLOSE + b"\r\n",
    "bad escape": b"GET /%zz%f HTTP/1.1\r\n" + CLOSE + b"\r\n",
    "WebSocket without a key": (b"GET /peerjs?key=peerjs&id=a&token=t HTTP/1.1\r\nHost: box\r\nUpgrade: websocket\r\n"
                                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n"),
    "WebSocket of another version": (b"GET /peerjs?key=peerjs&id=a&token=t HTTP/1.1\r\nHost: box\r\nUpgrade: websocket\r\n"
                                     b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                     b"Sec-WebSocket-Version: 99\r\n\r\n"),
}


@pytest.mark.parametrize("request_bytes", ODD_REQUESTS.values(), ids=ODD_REQUESTS.keys())
def test_odd_requests(target, request_bytes):
    """A 4xx or 5xx that says so, or the end of the connection; never a success."""
    with nobody_notices(target, "kibitz_connections_accepted_total"):
        status, received = ask(target, request_bytes)
        assert status is None or 400 <= status <= 505, received[:500]
        assert received.count(b"HTTP/1.") <= 1, f"one request, several answers: {received[:500]!r}"


TRAVERSALS = ["/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/%2e%2e%2fsecret.txt", "/assets/../../secret.txt",
              "/assets/..%2f..%2fsecret.txt", "/..%5csecret.txt", "/..\\secret.txt", "//secret.txt", "/./../secret.txt",
              "/%252e%252e/secret.txt", "/..;/secret.txt", "/%c0%ae%c0%ae/secret.txt", "/../../../../../etc/passwd",
              "/..%2f..%2f..%2f..%2f..%2fetc/passwd", "//etc/passwd", "/link/secret.txt", "/outside.txt"]


def test_paths_that_lead_out_of_the_root(tmp_path):
    """Neither a path nor a link in `web.root` gives a file outside of it; nor does the built-in page's server."""
    root = tmp_path / "site"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html>the owner's page")
    (root / "assets/app.js").write_text("1")
    (tmp_path / "secret.txt").write_text("not for phones")
    for config in ({"web.root": str(root)}, {}):
        with Box(config) as box:
            for path in TRAVERSALS:
                status, received = ask(box, f"GET {path} HTTP/1.1\r\n".encode("latin-1") + CLOSE + b"\r\n")
                assert b"not for phones" not in received and b"root:" not in received, path
                assert status is None or status >= 400 or b"the owner's page" in received or not config, (path, received)
            if config:
                assert box.fetch("/").text.endswith("the owner's page")
                assert box.fetch("/assets/app.js").text == "1"


def test_guessing_the_secret_is_slowed_down(target):
    """One who tries secrets is told to slow down, and the right one still works from another phone."""
    statuses = [target.fetch("/api/session", method="POST", body={"secret": f"guess{n}"}).status for n in range(80)]
    assert statuses[0] == 403 and 429 in statuses and 200 not in statuses, statuses
    source = ("127.0.0.77", 0)
    with socket.create_connection(("127.0.0.1", target.http_port), 5, source) as client:
        body = f'{{"secret":"{target.secret}"}}'.encode()
        client.sendall(b"POST /api/session HTTP/1.1\r\n" + CLOSE + b"Content-Type: application/json\r\nContent-Length: "
                       + str(len(body)).encode() + b"\r\n\r\n" + body)
        assert client.recv(4096).startswith(b"HTTP/1.1 200")


def test_clients_beyond_the_limit():
    """The broker's limit is kept, in PeerServer's words, and those inside go on."""
    from websockets.sync.client import connect
    with Box({"broker.clients": 4, "room.people": 2}) as box, Pair(f"ws://127.0.0.1:{box.http_port}") as pair:
        url = f"ws://127.0.0.1:{box.http_port}/peerjs?key=peerjs&token=t&version=1.5.5&id="
        with connect(url + "c", proxy=None) as third, connect(url + "d", proxy=None) as fourth:
            assert "OPEN" in third.recv(5) and "OPEN" in fourth.recv(5)
            with connect(url + "e", proxy=None) as fifth:
                assert "Server has reached its concurrent user limit" in fifth.recv(5)
        pair.stop()
