"""The broker over real WebSockets: PeerServer's rules, where we do better than PeerServer, and the room."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import re
import socket
import ssl
import struct
import threading
import time
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from Rig.box import Box
from Rig.waiting import wait_until

PATIENCE = 10.0
"""Seconds that anything which must come may take on a busy machine."""

SILENCE = 0.4
"""Seconds of waiting for something that must not come."""


class Client:
    """One WebSocket of a client. It answers pings by itself, as a browser does."""

    def __init__(self, box: Box, id: str | None, token: str | None = "t", key: str | None = "peerjs", *,
                 secure: bool = False):
        self.id = id
        parameters = {"key": key, "id": id, "token": token, "version": "1.5.5"}
        query = "&".join(f"{name}={quote(value)}" for name, value in parameters.items() if value is not None)
        scheme, port = ("wss", box.https_port) if secure else ("ws", box.http_port)
        self._stack = contextlib.ExitStack()
        self.socket: ClientConnection = self._stack.enter_context(connect(
            f"{scheme}://{box.address}:{port}/peerjs?{query}", proxy=None, open_timeout=PATIENCE, ping_interval=None,
            ssl=ssl._create_unverified_context() if secure else None))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def say(self, type: str, dst: str | None = None, payload: object = None, **others) -> None:
        message = {"type": type} | ({"dst": dst} if dst is not None else {}) | others
        self.socket.send(json.dumps(message | ({"payload": payload} if payload is not None else {})))

    def hear(self, timeout: float = PATIENCE) -> dict:
        """The next message."""
        return json.loads(self.socket.recv(timeout))

    def hear_type(self, type: str, timeout: float = PATIENCE) -> dict:
        """The next message of this type; others on the way are passed over."""
        deadline = time.monotonic() + timeout
        while (message := self.hear(max(0.0, deadline - time.monotonic())))["type"] != type:
            pass
        return message

    def opened(self) -> Client:
        assert self.hear() == {"type": "OPEN"}
        return self

    def hears_nothing(self, timeout: float = SILENCE) -> None:
        with pytest.raises(TimeoutError):
            pytest.fail(f"it heard {self.hear(timeout)}")

    def end(self, timeout: float = PATIENCE) -> tuple[int, str]:
        """Wait for the end of the connection: its close code and reason."""
        with contextlib.suppress(ConnectionClosed):
            deadline = time.monotonic() + timeout
            while True:
                self.hear(max(0.0, deadline - time.monotonic()))
        received = self.socket.protocol.close_rcvd
        return (received.code, received.reason) if received else (1006, "")

    def roster(self, *names: str, timeout: float = PATIENCE) -> dict:
        """Wait for a roster of exactly these people (`name` or `name (away)`), and return it."""
        deadline = time.monotonic() + timeout
        seen = []
        while time.monotonic() < deadline:
            try:
                room = self.hear_type("ROOM", max(0.0, deadline - time.monotonic()))["payload"]
            except TimeoutError:
                break
            seen.append([person["name"] + (" (away)" if person["away"] else "") for person in room["people"]])
            if seen[-1] == list(names):
                return room
        raise AssertionError(f"no roster of {names}; there were {seen}")


def peer(box: Box, id: str, token: str = "t", **options) -> Client:
    """A PeerJS client with its OPEN."""
    return Client(box, id, token, **options).opened()


class RawClient:
    """A WebSocket by hand, which answers nothing by itself: what a phone that has lost its Wi-Fi looks like."""

    def __init__(self, box: Box, id: str, token: str = "t", receive_buffer: int | None = None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect((box.address, box.http_port))
        self.socket.sendall((
            f"GET /peerjs?key=peerjs&id={id}&token={token}&version=1.5.5 HTTP/1.1\r\nHost: box\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode())
        self.received = b""
        while b'"OPEN"' not in self.received:
            self.received += self._piece()
        self.received = self.received.partition(b'{"type":"OPEN"}')[2]

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def _piece(self) -> bytes:
        piece = self.socket.recv(65536)
        assert piece, "the connection ended"
        return piece

    def frame(self, timeout: float = PATIENCE) -> tuple[int, bytes]:
        """The next frame: its opcode and payload (RFC 6455 section 5.2)."""
        self.socket.settimeout(timeout)

        def need(count: int) -> None:
            while len(self.received) < count:
                self.received += self._piece()

        need(2)
        length, start = self.received[1] & 127, 2
        if length == 126:
            need(4)
            length, start = struct.unpack(">H", self.received[2:4])[0], 4
        need(start + length)
        opcode, payload = self.received[0] & 15, self.received[start:start + length]
        self.received = self.received[start + length:]
        return opcode, payload

    def send(self, opcode: int, payload: bytes = b"") -> None:
        """One whole frame, masked with zeros."""
        assert len(payload) < 126
        self.socket.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + b"\0\0\0\0" + payload)

    def reset(self) -> None:
        """End with RST, as a crash does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class PeerJS:
    """The PeerJS client's connection to its server, by the rules of its `peer.ts` and `socket.ts` 1.5.5.

    A `Peer` keeps one token for its life. Messages sent before the socket is open are queued and go out as soon as it
    is, before OPEN is heard. After `disconnected`, `reconnect()` dials with the last id and the same token, and the
    peer is open again only when it hears OPEN. ID-TAKEN and ERROR end a peer that was never open and disconnect one
    that was.
    """

    def __init__(self, box: Box, id: str, token: str):
        self.box, self.id, self.token = box, id, token
        self.open = self.disconnected = self.destroyed = False
        self.was_open = False
        self.errors: list[str] = []
        self.offers: list[dict] = []
        self.queue: list[str] = []
        self._dial()

    def _dial(self) -> None:
        client = Client(self.box, self.id, self.token)
        self.socket = client.socket
        for message in self.queue:
            self.socket.send(message)
        self.queue.clear()
        threading.Thread(target=self._read, args=(self.socket,), daemon=True).start()

    def _read(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for text in socket:
                match json.loads(text):
                    case {"type": "OPEN"}: self.open = self.was_open = True
                    case {"type": "ERROR", "payload": {"msg": text}}: self._abort(text)
                    case {"type": "ID-TAKEN"}: self._abort("unavailable-id")
                    case {"type": "EXPIRE", "src": src}: self.errors.append(f"peer-unavailable {src}")
                    case {"type": "OFFER"} as offer: self.offers.append(offer)
        if socket is self.socket:
            self.disconnect()

    def _abort(self, error: str) -> None:
        self.errors.append(error)
        self.destroyed |= not self.was_open
        self.disconnect()

    def disconnect(self) -> None:
        if not self.disconnected:
            self.disconnected, self.open = True, False
            self.socket.close()

    def reconnect(self) -> None:
        assert self.disconnected and not self.destroyed
        self.disconnected = False
        self._dial()

    def send(self, message: dict) -> None:
        self.socket.send(json.dumps(message))

    def becomes(self, what: str, timeout: float = PATIENCE) -> None:
        wait_until(lambda: getattr(self, what), timeout, f"the peer is {what}", every=0.02,
                   detail=lambda: f"errors {self.errors}")


def session(box: Box, token: str | None = None, secret: str | None = None) -> dict:
    answer = box.fetch("/api/session", method="POST", body={"secret": secret or box.secret} | (
        {"token": token} if token else {}))
    assert answer.status == 200, answer.text
    return answer.json()


def join(box: Box, name: str, of: dict | None = None) -> Client:
    """A member of the room that has said its name."""
    of = of or session(box)
    client = Client(box, of["id"], of["token"]).opened()
    client.token = of["token"]
    client.say("PRESENCE", payload={"name": name, "camera": False, "microphone": True})
    return client


def drops(box: Box, cause: str) -> float:
    return sum(value for series, value in box.metrics().items() if "signaling_dropped_total" in series and f'"{cause}"' in series)


@pytest.fixture(scope="module")
def quiet(box_of_module):
    """A client that answers pings and says nothing, from the module's beginning; its last test looks at its end."""
    client = peer(box_of_module, "quiet")
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        yield start, pool.submit(client.end, 120)


@pytest.fixture(scope="module")
def box_of_module():
    with Box({"broker.discovery": True}) as running:
        yield running


@pytest.fixture
def shared(box_of_module, quiet):
    """The box of all tests that leave it as it was."""
    return box_of_module


# HTTP


def test_greeting(shared):
    answer = shared.fetch("/", headers={"Accept": "application/json"})
    assert answer.json().keys() >= {"name", "description", "website"}
    assert answer.headers["access-control-allow-origin"] == "*"


def test_fresh_ids(shared):
    answers = [shared.fetch("/peerjs/id", headers={"Origin": "https://example.org"}) for _ in range(20)]
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.text) for answer in answers)
    assert len({answer.text for answer in answers}) == 20
    assert all(answer.headers["access-control-allow-origin"] == "*" for answer in answers)


def test_list_of_peers(shared):
    member = session(shared)
    with peer(shared, "listed"), Client(shared, member["id"], member["token"]).opened():
        listed = shared.fetch("/peerjs/peers").json()
        assert "listed" in listed and member["id"] not in listed
    wait_until(lambda: "listed" not in shared.fetch("/peerjs/peers").json(), PATIENCE, "the client is off the list")


def test_list_of_peers_is_not_for_everyone(box):
    assert box.fetch("/peerjs/peers").status == 401


# The table of conditions


@pytest.mark.parametrize("missing", ["key", "id", "token"])
@pytest.mark.parametrize("value", [None, ""])
def test_missing_parameter(shared, missing, value):
    with Client(shared, **({"id": "a1", "token": "t", "key": "peerjs"} | {missing: value})) as client:
        assert client.hear() == {
            "type": "ERROR", "payload": {"msg": "No id, token, or key supplied to websocket server"}}
        assert client.end()[0] == 1008


def test_wrong_key(shared):
    with Client(shared, "a2", key="other") as client:
        assert client.hear() == {"type": "ERROR", "payload": {"msg": "Invalid key provided"}}
        assert client.end()[0] == 1008


def test_id_held_by_another_token(shared):
    with peer(shared, "a3", "one") as holder, Client(shared, "a3", "two") as other:
        assert other.hear() == {"type": "ID-TAKEN", "payload": {"msg": "ID is taken"}}
        assert other.end()[0] == 1008
        holder.say("OFFER", "a3", 1)
        assert holder.hear()["payload"] == 1


def test_too_many_clients():
    with Box({"broker.clients": 2, "room.people": 2}) as box, peer(box, "a"), peer(box, "b"):
        with Client(box, "c") as third:
            assert third.hear() == {
                "type": "ERROR", "payload": {"msg": "Server has reached its concurrent user limit"}}
            assert third.end()[0] == 1013
        # Who has an id already takes no further place.
        with peer(box, "a"):
            pass


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("id", ["plain", "kbz-v1-room", "with space é \"quotes\" \\ 😀", "a/b?c=d&e#f%"])
def test_new_client(shared, id, secure):
    with peer(shared, id, secure=secure) as client:
        client.say("OFFER", id, {"é": ["😀", None, 1.5]})
        assert client.hear() == {"type": "OFFER", "src": id, "dst": id, "payload": {"é": ["😀", None, 1.5]}}


def test_others_may_be_shut_out():
    with Box({"broker.open": False}) as box:
        with Client(box, "a") as client:
            assert client.hear()["payload"]["code"] == "forbidden"
            assert client.end()[0] == 4003
        with join(box, "Ada") as ada:
            ada.roster("Ada")


# Messages


@pytest.mark.parametrize("type", ["OFFER", "ANSWER", "CANDIDATE", "LEAVE", "EXPIRE"])
def test_is_passed_on_with_its_source_overwritten(shared, type):
    with peer(shared, "b1") as one, peer(shared, "b2") as two:
        one.say(type, "b2", {"sdp": "v=0\r\n" * 250}, src="forged")
        assert two.hear() == {"type": type, "src": "b1", "dst": "b2", "payload": {"sdp": "v=0\r\n" * 250}}
        one.hears_nothing()


def test_source_cannot_be_forged(shared):
    with peer(shared, "b1") as one, peer(shared, "b2") as two:
        one.socket.send(r'{"src":"x","type":"OFFER","dst":"b2","src":"y","\u0073r\u0063":"z"}')
        members = json.loads(two.socket.recv(PATIENCE), object_pairs_hook=list)
        assert [value for name, value in members if name == "src"] == ["b1"] * 3


def test_waits_for_its_destination(shared):
    with peer(shared, "b3") as one:
        for number in range(3):
            one.say("CANDIDATE", "b4", number)
        time.sleep(3)
        with peer(shared, "b4") as two:
            assert [two.hear() for _ in range(3)] == [
                {"type": "CANDIDATE", "src": "b3", "dst": "b4", "payload": number} for number in range(3)]
        one.hears_nothing(3)


def test_expires_once_for_each_pair(shared):
    with peer(shared, "b5") as one, peer(shared, "b6") as two:
        start = time.monotonic()
        for client in (one, one, two, one):
            client.say("OFFER", "nobody", 1)
        one.say("OFFER", "nobody else", 1)
        assert one.hear() == {"type": "EXPIRE", "src": "nobody", "dst": "b5"}
        assert 4.9 < time.monotonic() - start < 7
        assert one.hear() == {"type": "EXPIRE", "src": "nobody else", "dst": "b5"}
        assert two.hear() == {"type": "EXPIRE", "src": "nobody", "dst": "b6"}
        one.hears_nothing(1)
        with peer(shared, "nobody") as late:
            late.hears_nothing()


def test_leave_and_expire_are_never_queued(shared):
    with peer(shared, "b7") as one:
        one.say("LEAVE", "b8")
        one.say("EXPIRE", "b8")
        with peer(shared, "b8") as two:
            two.hears_nothing()
        one.hears_nothing(5.5)


def test_leave_without_destination_removes_the_sender(shared):
    with peer(shared, "b9", "one") as client:
        client.say("LEAVE")
        assert client.end()[0] == 1000
        with peer(shared, "b9", "two"):
            pass


def test_failed_send_answers_leave(shared):
    """A destination that does not read is closed, and who sends to it hears LEAVE."""
    with RawClient(shared, "deaf", receive_buffer=4096) as deaf, contextlib.ExitStack() as stack:
        senders = [stack.enter_context(peer(shared, f"talks{number}")) for number in range(5)]
        heard = []
        for number in range(400):  # what loopback's own buffers take comes first
            with contextlib.suppress(ConnectionError):
                deaf.send(10)  # it lives, it only does not read
            sender = senders[number % 5]
            sender.say("OFFER", "deaf", "x" * 48_000)
            with contextlib.suppress(TimeoutError):
                heard.append(sender.hear(0.01))
                if heard[-1]["type"] == "LEAVE":
                    break
        assert heard and heard[-1] == {"type": "LEAVE", "src": "deaf", "dst": sender.id}, heard


def test_unknown_types_are_ignored(shared):
    before = drops(shared, "unknown_type")
    with peer(shared, "c1") as one, peer(shared, "c2") as two:
        for type in ("OPEN", "ROOM", "offer", "PRESENCE", ""):
            one.say(type, "c2", {})
        two.hears_nothing()
        one.say("OFFER", "c2", 1)
        assert two.hear()["payload"] == 1
    assert drops(shared, "unknown_type") == before + 5


MALFORMED = ["", "{", "[]", "null", "5", '"OFFER"', "{}", '{"type":5}', '{"type":"OFFER","dst":5}',
             '{"type":"OFFER","dst":"c4"', '{"type":"OFFER","dst":"c4"}x', '{"type":"OFFER","dst":"c4\n"}',
             '{"type":"OFFER","dst":"c4","payload":' + "[" * 50_000, "{'type':'OFFER'}", "\ufeff{}"]


def test_malformed_messages_are_dropped_and_the_connection_kept(shared):
    """PeerServer as a library dies of one."""
    before = drops(shared, "malformed"), drops(shared, "binary")
    with peer(shared, "c3") as one, peer(shared, "c4") as two:
        for text in MALFORMED:
            one.socket.send(text)
        one.socket.send(b'{"type":"OFFER","dst":"c4"}')
        one.say("OFFER", "c4", "still here")
        assert two.hear()["payload"] == "still here"
    assert (drops(shared, "malformed"), drops(shared, "binary")) == (before[0] + len(MALFORMED), before[1] + 1)


# Limits


def test_message_that_is_too_big(shared):
    with peer(shared, "d1") as one, peer(shared, "d2") as two:
        fits = 65536 - len('{"type": "OFFER", "dst": "d2", "payload": ""}')
        one.say("OFFER", "d2", "x" * fits)
        assert len(two.hear()["payload"]) == fits
        one.say("OFFER", "d2", "x" * (fits + 1))
        assert one.end()[0] == 1009
        two.hears_nothing()


def test_flood_is_cut_off(shared):
    before = drops(shared, "rate")
    with peer(shared, "d3") as one:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(20_000):
                one.socket.send('{"type":"HEARTBEAT"}')
        assert one.end(30)[0] == 1008
    assert drops(shared, "rate") > before


def test_queue_is_bounded(shared):
    with peer(shared, "d4") as one:
        for number in range(100):
            one.say("CANDIDATE", "d5", number)
        # What the box has not read when the other comes would go straight to it.
        one.say("CANDIDATE", "d4", "all said")
        assert one.hear()["payload"] == "all said"
        with peer(shared, "d5") as two:
            assert [two.hear()["payload"] for _ in range(32)] == list(range(32))
            two.hears_nothing()


def test_pings_that_are_not_read(shared):
    """Who pings without end and reads no pong makes no heap of them."""
    before = shared.rss()
    with RawClient(shared, "d6", receive_buffer=4096) as client:
        pings = (bytes([0x89, 0x80 | 125]) + b"\0\0\0\0" + b"x" * 125) * 500
        client.socket.settimeout(2)
        deadline = time.monotonic() + 5
        with contextlib.suppress(TimeoutError, ConnectionError):
            while time.monotonic() < deadline:
                client.socket.sendall(pings)
        assert shared.rss() - before < 16 << 20


# Coming back


def test_reattach_gets_open(shared):
    """PeerServer says nothing to a known client that comes back, and PeerJS waits for its OPEN for ever."""
    with RawClient(shared, "e1") as old, peer(shared, "e2") as other:
        start = time.monotonic()
        with peer(shared, "e1") as new:
            assert time.monotonic() - start < 2
            assert old.frame() == (8, struct.pack(">H", 4002) + b"replaced")
            other.say("OFFER", "e1", 1)
            assert new.hear()["src"] == "e2"


def test_id_of_a_dead_socket_is_free_within_a_second(shared):
    """The holder's phone has lost its network: nothing ends its connection, and it answers no ping."""
    with RawClient(shared, "e3", "one"):
        start = time.monotonic()
        with peer(shared, "e3", "two") as new:
            waited = time.monotonic() - start
            assert 0.9 < waited < 2.5, waited
            new.say("OFFER", "e3", 1)
            assert new.hear()["payload"] == 1


def test_id_of_a_socket_that_was_reset_is_free_at_once(shared):
    RawClient(shared, "e4", "one").reset()
    time.sleep(0.1)
    start = time.monotonic()
    with peer(shared, "e4", "two"):
        assert time.monotonic() - start < 0.8


def test_dead_connection_is_found_by_pings(shared):
    """A ping every 5 s; whoever answers none for 12 s is gone."""
    with RawClient(shared, "e5") as silent, RawClient(shared, "e6") as polite:
        start = time.monotonic()
        assert silent.frame(7)[0] == 9
        assert 4 < time.monotonic() - start < 7
        assert silent.frame(7)[0] == 9
        assert polite.frame()[0] == 9
        polite.send(10)
        opcode, payload = silent.frame(5)
        assert (opcode, payload[:2]) == (8, struct.pack(">H", 4004))
        assert 11.5 < time.monotonic() - start < 14.5
        assert polite.frame()[0] == 9


def test_peerjs_reconnects(shared):
    """PeerJS after `disconnected`: the same id and token, and it is open when it hears OPEN."""
    me, other = PeerJS(shared, "f1", "token of f1"), PeerJS(shared, "f2", "token of f2")
    me.becomes("open")
    other.becomes("open")
    me.disconnect()
    me.reconnect()
    me.becomes("open")
    other.send({"type": "OFFER", "dst": "f1", "payload": 1})
    wait_until(lambda: me.offers, PATIENCE, "the offer came", every=0.02)
    assert me.offers == [{"type": "OFFER", "src": "f2", "dst": "f1", "payload": 1}] and not me.errors
    me.disconnect()
    other.disconnect()


def test_peerjs_reconnects_while_its_old_socket_hangs(shared):
    """The phone has changed networks: for the box the old socket is there still."""
    with RawClient(shared, "f3", "token"):
        me = PeerJS(shared, "f3", "token")
        me.becomes("open", 2)
        me.disconnect()


def test_peerjs_sends_before_open(shared):
    """What PeerJS has queued goes out before OPEN, even while the id's holder is being probed."""
    with peer(shared, "f5") as other, RawClient(shared, "f4", "another"):
        me = Client(shared, "f4", "mine")
        me.say("OFFER", "f5", "early")
        me.opened()
        assert other.hear() == {"type": "OFFER", "src": "f4", "dst": "f5", "payload": "early"}
        me.socket.close()


def test_peerjs_whose_id_is_taken(shared):
    with peer(shared, "f6", "another"):
        me = PeerJS(shared, "f6", "mine")
        me.becomes("destroyed")
        assert me.errors == ["unavailable-id"]


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_everyone_comes_back_after_a_restart(box, how):
    """PeerJS clients under their ids, members under theirs, with the tokens they had: the box has stored neither."""
    me = PeerJS(box, "g1", "token of g1")
    me.becomes("open")
    ada = join(box, "Ada")
    ada.roster("Ada")
    if how == "SIGKILL":
        box.kill()
    else:
        assert box.terminate() == 0
        assert ada.end()[0] == 1001
    me.becomes("disconnected")
    box.start()
    me.reconnect()
    me.becomes("open")
    again = session(box, ada.token)
    assert (again["id"], again["token"]) == (ada.id, ada.token)
    with Client(box, ada.id, ada.token).opened() as back:
        assert back.hear()["payload"]["you"] == ada.id
    me.disconnect()


# The room


def test_members_see_each_other(box):
    with join(box, "Ada") as ada:
        first = ada.roster("Ada")
        assert first["you"] == ada.id and first["people"] == [
            {"id": ada.id, "name": "Ada", "camera": False, "microphone": True, "away": False}]
        with join(box, " Bob\u202e\n") as bob:
            assert [person["id"] for person in ada.roster("Ada", "Bob")["people"]] == [ada.id, bob.id]
            assert bob.roster("Ada", "Bob")["you"] == bob.id
            bob.say("PRESENCE", payload={"camera": True, "links": {"total": 1, "healthy": 1, "relayed": 0}})
            assert ada.roster("Ada", "Bob")["people"][1]["camera"] is True
            ada.say("CANDIDATE", bob.id, {"restart": True})
            assert bob.hear_type("CANDIDATE") == {
                "type": "CANDIDATE", "src": ada.id, "dst": bob.id, "payload": {"restart": True}}
            ada.say("HEARTBEAT")
            assert ada.hear_type("HEARTBEAT") == {"type": "HEARTBEAT"}
            people = {person["name"]: person for person in box.status()["people"]}
            assert people.keys() >= {"Ada", "Bob"}
            bob.say("LEAVE")
            ada.roster("Ada")
            assert bob.end()[0] == 1000
        ada.say("LEAVE")
        ada.end()


def test_page_reload_keeps_id_and_place(box):
    with join(box, "Ada") as ada, join(box, "Bob") as bob:
        ada.roster("Ada", "Bob")
        again = session(box, bob.token)
        assert again["id"] == bob.id
        bob.socket.close()
        ada.roster("Ada", "Bob (away)")
        with Client(box, again["id"], again["token"]).opened() as back:
            # Its name is known still.
            back.roster("Ada", "Bob")
            ada.roster("Ada", "Bob")
            back.say("LEAVE")
            back.end()
        ada.say("LEAVE")
        ada.end()


def test_one_away_is_taken_out_in_the_end():
    with Box({"room.grace": 5}) as box, join(box, "Ada") as ada:
        with join(box, "Bob"):
            ada.roster("Ada", "Bob")
        ada.roster("Ada", "Bob (away)")
        start = time.monotonic()
        ada.roster("Ada")
        assert 4 < time.monotonic() - start < 7


def test_member_needs_its_token(shared):
    one, two = session(shared), session(shared)
    assert one["id"] != two["id"]
    for id, token in ((one["id"], two["token"]), (one["id"], "t"), ("kl-me", one["token"]), ("kl-me", "t")):
        with Client(shared, id, token) as client:
            assert client.hear()["payload"]["code"] == "forbidden"
            assert client.end() == (4003, "forbidden")
    refused = shared.fetch("/api/session", method="POST", body={"secret": "x" * 22})
    assert refused.status == 403 and refused.json()["error"] == "rotated"


def test_room_is_closed_to_others(box):
    with join(box, "Ada") as ada, peer(box, "h1") as other:
        ada.roster("Ada")
        other.say("OFFER", ada.id, 1)
        other.say("OFFER", "kl-nobody", 1)
        assert other.hear() == {"type": "EXPIRE", "src": ada.id, "dst": "h1"}
        assert other.hear() == {"type": "EXPIRE", "src": "kl-nobody", "dst": "h1"}
        ada.say("OFFER", "h1", 1)
        assert ada.hear() == {"type": "EXPIRE", "src": "h1", "dst": ada.id}
        other.hears_nothing()
        ada.say("LEAVE")
        ada.end()


def test_room_is_full():
    with Box({"room.people": 2}) as box, join(box, "Ada"), join(box, "Bob"):
        third = session(box)
        with Client(box, third["id"], third["token"]) as client:
            assert client.hear()["payload"]["code"] == "full"
            assert client.end() == (4005, "full")
        with peer(box, "plain"):
            pass


def test_rotation_sends_everyone_out(box):
    with join(box, "Ada") as ada, peer(box, "plain") as other:
        ada.roster("Ada")
        old = box.secret
        box.rotate()
        assert "codes of this room were changed" in ada.hear_type("ROTATED")["payload"]["msg"]
        assert ada.end() == (4001, "rotated")
        assert other.end() == (4001, "rotated")
        with Client(box, ada.id, ada.token) as client:
            assert client.hear()["payload"]["code"] == "rotated"
            assert client.end() == (4001, "rotated")
        assert box.fetch("/api/session", method="POST", body={"secret": old}).json()["error"] == "rotated"
        # With the new secret the earlier token still proves who one was.
        again = session(box, ada.token)
        assert again["id"] == ada.id and again["token"] != ada.token
        with Client(box, again["id"], again["token"]).opened() as back:
            assert back.hear()["payload"]["generation"] == again["generation"]


# The last one: it waits for the end of what began with the first.


def test_client_that_says_nothing_is_dropped_after_90_seconds(shared, quiet):
    """PeerServer's `alive_timeout`: pongs alone don't keep a client."""
    start, ending = quiet
    code, _ = ending.result(120)
    assert code == 4004
    assert 88 < time.monotonic() - start


def test_a_process_that_ends_is_gone_at_once(shared):
    """Its system closes the connection without a WebSocket's goodbye.

    Once the box took that for a half-closed connection and held the id until the next ping found nobody.
    """
    others = shared.status()["guests"]
    client = Client(shared, "ended").opened()
    try:
        client.socket.socket.shutdown(socket.SHUT_WR)
        wait_until(lambda: shared.status()["guests"] == others, 1.5, "the box has seen the end of the connection")
    finally:
        client.socket.socket.close()
