"""Chromium and Firefox dial the hub from the blob alone, from a page of somebody else's, as the client at kibitz.chat does."""

from __future__ import annotations

import functools
import http.server
import json
import threading
import time
from pathlib import Path

import pytest

from Rig.box import Box
from Rig.browsers import Browser, Browsers, missing
from Rig.hub import LARGEST, losing
from Rig.network import Network, inside
from Rig.waiting import wait_until

PORT = 9000
"""Where the page comes from: nothing of the box's."""


@pytest.fixture(scope="module")
def network():
    with Network() as made:
        yield made


@pytest.fixture(scope="module")
def page(network):
    """The page's address."""
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=str(Path(__file__).parent))
    with inside(network.box):
        server = http.server.ThreadingHTTPServer((network.address, PORT), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{network.address}:{PORT}/dial.html"
    server.shutdown()
    server.server_close()


@pytest.fixture
def lan_box(network):
    with Box({"addresses": [network.address]}, namespace=network.box) as running:
        yield running


@pytest.fixture(scope="module")
def phones(network, page):
    """A Chromium and a Firefox with the page open."""
    reason = missing()
    assert not reason, reason
    with Browsers() as browsers:
        opened = {"chromium": browsers.chromium(network.phone("ada")), "firefox": browsers.firefox(network.phone("ben"))}
        for browser in opened.values():
            browser.open(page)
        yield opened


@pytest.fixture(params=["chromium", "firefox"])
def phone(request, phones):
    return phones[request.param]


def blob(box: Box) -> str:
    return box.status()["blob"]


def dial(phone: Browser, box: Box) -> int:
    """Dial; the id."""
    hello = phone.eval(f"dial({json.dumps(blob(box))})")
    assert hello and hello["t"] == "id", f"{hello}\n{phone.describe()}\n{box.describe()}"
    return hello["id"]


def echo(phone: Browser, content: object, seconds: float = 6) -> bool:
    """Whether the hub echoes something within so many seconds."""
    phone.eval(f"send({json.dumps({'t': 'echo', 'x': content})})")
    return phone.eval(f"next({seconds})", seconds + 5) == {"t": "echo", "x": content}


def test_dials_and_speaks(phone, lan_box):
    began = time.monotonic()
    own = dial(phone, lan_box)
    assert time.monotonic() - began < 6
    assert echo(phone, {"a": [1, None, "ä"]})
    phone.eval("send({ t: 'peers' })")
    assert phone.eval("next()") == {"t": "peers", "ids": [own]}


def test_names_in_front_that_nobody_answers_for(phone, lan_box):
    """A blob may begin with `.local` names: one that leads nowhere keeps nobody from the address behind it."""
    version, ufrag, password, fingerprint, *rest = blob(lan_box).split("|")
    turn, endpoints = (rest[:1], rest[1:]) if version == "g2" else ([], rest)
    raw = [endpoint for endpoint in endpoints if ".local~" not in endpoint]
    assert raw
    named = "|".join([version, ufrag, password, fingerprint, *turn, "nobody-is-called-so.local~4711", "nor-so.local~4711", *raw])
    began = time.monotonic()
    hello = phone.eval(f"dial({json.dumps(named)})")
    assert hello and hello["t"] == "id", f"{hello}\n{phone.describe()}\n{lan_box.describe()}"
    assert time.monotonic() - began < 6
    assert echo(phone, "by the address")


def test_the_two_browsers_reach_each_other_with_long_messages_too(phones, lan_box):
    ids = {name: dial(phone, lan_box) for name, phone in phones.items()}
    for phone in phones.values():
        phone.eval("send({ t: 'join', room: 'the two of them' })")
        assert echo(phone, "joined")
    for name, other in (("chromium", "firefox"), ("firefox", "chromium")):
        for length in (1, 65_536, LARGEST - 60):
            sent = phones[name].eval(f"sendText({ids[other]}, {length})")
            got = phones[other].eval("next(20).then((frame) => frame && [frame.t, frame.id, hash(frame.payload)])")
            assert got == ["from", ids[name], sent]
        phones[name].eval(f"(() => {{ for (let n = 0; n < 1000; n++) send({{ t: 'to', id: {ids[other]}, payload: n }}) }})()")
        numbers = phones[other].eval(
            "(async () => { const all = []; while (all.length < 1000) { const frame = await next(10);"
            " if (!frame) break; all.push(frame.payload) } return all })()")
        assert numbers == list(range(1000))


def test_dials_and_speaks_where_packets_are_lost(phone, lan_box, network):
    with losing(phone.phone, 5):
        dial(phone, lan_box)
        for number in range(20):
            assert echo(phone, f"{number}" + "x" * 5000, 10)


def test_a_restarted_box_is_found_again_at_once(phone, lan_box):
    """The box does not know the phone any more; the phone must hear so, and not wait until it gives up by itself."""
    dial(phone, lan_box)
    # As the client at kibitz.chat, which asks for its peers every 2.5 s.
    phone.eval("void setInterval(() => channel.readyState === 'open' && send({ t: 'peers' }), 2500)")
    lan_box.kill()
    lan_box.start()
    began = time.monotonic()
    # Chromium gives up at the box's first refusal; Firefox is told so, and gives up when they go on.
    phone.wait("states.some(([, state]) => ['disconnected', 'failed', 'channel closed'].includes(state))", 20,
               "heard that its connection is gone")
    assert time.monotonic() - began < 15
    phone.reload()
    dial(phone, lan_box)
    assert echo(phone, "again")


def test_a_chromium_that_moves_keeps_its_connection(phones, lan_box):
    chromium = phones["chromium"]
    dial(chromium, lan_box)
    assert echo(chromium, "before")
    home = int(chromium.phone.address.rpartition(".")[2])
    try:
        chromium.phone.move(177)
        wait_until(lambda: echo(chromium, f"after {time.monotonic()}", 2), 30, "the hub answers at the new address",
                   detail=chromium.describe)
        assert chromium.eval("channel.readyState") == "open"
    finally:
        chromium.phone.move(home)
    assert lan_box.status()["traffic"]["hubClients"] == 1
