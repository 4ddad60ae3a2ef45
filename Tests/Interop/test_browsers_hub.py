"""The room page over the hub: people who reach the box by a data channel alone, and people on its WebSocket, in one room.

The phones' browsers dial the hub from the blob; where a test wants them to, the box's web server is out of their reach.
"""

from __future__ import annotations

import contextlib
import time

import pytest

from Rig.party import Party, authority, hide_chat, links, own_id, people_in_status, trust, with_settings
from Rig.qr import scan
from Rig.static import StaticHost
from Rig.waiting import wait_until

CARRY_LIMIT = 60.0
"""Seconds until a line to the box carries again. It needs one; a line that only falls silent needs 12 more to be given up,
and two busy cores with several browsers need their time, too."""


def blob(party: Party) -> str:
    """The hub's blob, as the page gets it."""
    found = party.box.fetch("/api/room").json()["hub"]
    assert found, "the box has no hub"
    return found


def carrier(person) -> str | None:
    return person.snapshot()["carrier"]


def carried(party: Party, way: str, *people, timeout: float = CARRY_LIMIT) -> None:
    """Wait until the line of each goes this way."""
    for person in people:
        wait_until(lambda: carrier(person) == way, timeout, f"{person.name} is carried by {way}", detail=party.describe)


def attempts(*people) -> list[tuple[int, int]]:
    """How many connections and ICE restarts the links of each have needed so far."""
    return [(link["connections"], link["restarts"]) for person in people for link in links(person).values()]


def at_door(*people, link: str) -> None:
    """Each has the page loaded and its door open; nobody has joined."""
    for person in people:
        person.open(link)
        person.wait("document.querySelector('#join')?.checkVisibility()", what="the way in")


@contextlib.contextmanager
def hub_only(party: Party, *people):
    """Ada with Chromium, Bob with Firefox or whoever is given have the page, and from then on nothing but the hub."""
    people = people or (party.chromium("ada"), party.firefox("bob"))
    at_door(*people, link=party.link())
    for person in people:
        # The blob comes with the box's facts, which are asked while the door opens.
        person.wait("document.querySelector('#lobby-room')?.innerText !== ''", what="the box's facts")
    with contextlib.ExitStack() as blocks:
        for person in people:
            blocks.enter_context(person.phone.without_web())
            party.enter(person)
        for person in people:
            wait_until(lambda: own_id(person), CARRY_LIMIT, f"{person.name} is in the room", detail=party.describe)
        assert [carrier(person) for person in people] == ["hub"] * len(people)
        yield people


# Meeting


def test_hub_and_broker_meet(party):
    """Two on the hub, one on the WebSocket: everyone sees everyone, and chat reaches all."""
    cleo = party.chromium("cleo")
    party.join(cleo)
    with hub_only(party) as (ada, bob):
        party.meet(ada, bob, cleo, timeout=90)
        assert carrier(cleo) == "websocket"
        party.says(ada, "over the hub", bob, cleo)
        party.says(cleo, "over the broker", ada, bob)
        assert set(people_in_status(party).values()) == {"ada", "bob", "cleo"}
        hide_chat(ada)
        ada.click("#people-open")
        assert "direct link" in ada.text("#people-line")
        ada.screenshot("hub-people-chromium")
        ada.press("Escape")
        hide_chat(bob)
        bob.screenshot("hub-room-firefox")
        for person in (ada, bob):
            person.click("#leave")
        wait_until(lambda: set(people_in_status(party).values()) == {"cleo"}, 15,
                   "leaving over the hub is told at once", detail=party.describe)


@pytest.mark.parametrize("kind", ["chromium", "firefox"])
def test_page_from_elsewhere(party, kind):
    """A page that any web server serves reaches the room by the link's blob alone; its invitation brings others in."""
    bob = party.chromium("bob")
    party.join(bob)
    with StaticHost(party) as host:
        ada = getattr(party, kind)("ada")
        link = f"{host.origin}/?galaxy={blob(party)}#{party.box.secret}"
        party.join(ada, link=link)
        assert carrier(ada) == "hub"
        party.watch((ada, bob))
        party.says(ada, "from elsewhere", bob)
        party.says(bob, "welcome", ada)
        ada.screenshot(f"page-from-elsewhere-{kind}")
        hide_chat(ada)
        ada.click("#invite")
        invited = scan(ada.screenshot(f"page-from-elsewhere-invite-{kind}"))
        cleo = party.chromium("cleo")
        party.join(cleo, link=invited)
        assert carrier(cleo) == "hub"
        party.says(cleo, "invited", bob)
        identity = own_id(cleo)
        cleo.reload()
        wait_until(lambda: own_id(cleo) == identity, CARRY_LIMIT, "a reload keeps the identity", detail=party.describe)


@pytest.mark.parametrize("kind", ["chromium", "firefox"])
def test_code_for_the_hosted_page(party, kind):
    """The invitation has the hub's code as well, so that a box without a screen can show it; one code at a time."""
    ada = getattr(party, kind)("ada")
    party.join(ada)
    ada.wait("document.querySelector('#invite')?.checkVisibility()", what="the button")
    ada.click("#invite")
    ada.wait("document.querySelector('#invite-other')?.checkVisibility()", what="the way to the other code")
    assert scan(ada.screenshot(f"invite-room-{kind}")).endswith(f"/#{party.box.secret}")
    ada.click("#invite-other")
    link = scan(ada.screenshot(f"invite-hosted-{kind}"))
    assert link == f"https://kibitz.chat/?galaxy={blob(party)}#{party.box.secret}"
    assert ada.eval("document.querySelector('#invite-link').value") == link
    ada.click("#invite-other")
    assert scan(ada.screenshot(f"invite-back-{kind}")).endswith(f"/#{party.box.secret}")


def test_link_with_blob_to_the_box_itself(party):
    """`/?galaxy=<blob>#<secret>` on the box: the box is recognised, so the WebSocket serves as ever."""
    ada, bob = party.chromium("ada"), party.firefox("bob")
    party.join(ada, bob, link=f"{party.box.https}/?galaxy={blob(party)}#{party.box.secret}")
    party.meet(ada, bob)
    assert [carrier(person) for person in (ada, bob)] == ["websocket"] * 2
    assert len(people_in_status(party)) == 2, "nobody is there twice"


def test_damaged_link(party):
    """A link whose blob is cut off says so where the hub would be the only way."""
    ada = party.chromium("ada")
    with StaticHost(party) as host:
        ada.open(f"{host.origin}/?galaxy={blob(party)[:40]}#{party.box.secret}")
        ada.wait("globalThis.kibitzLocal?.snapshot().then(page => page.state === 'damaged-link')", 20, "the words")
        assert "scan the code" in ada.text("main").lower()
        ada.screenshot("damaged-link-chromium")


def test_old_code_over_the_hub(party):
    """A code of before a rotation is refused with words, over the hub as over the web."""
    old = party.box.secret
    party.box.rotate()
    ada = party.chromium("ada")
    with StaticHost(party) as host:
        ada.open(f"{host.origin}/?galaxy={blob(party)}#{old}")
        knock(ada)
        ada.wait("globalThis.kibitzLocal?.snapshot().then(page => page.state === 'rotated')", CARRY_LIMIT, "the refusal")
        assert "scan the new code" in ada.text("main").lower()
    assert people_in_status(party) == {}


def knock(person) -> None:
    """Give a name and press the button, whatever comes of it."""
    person.wait("document.querySelector('#join')?.checkVisibility()", what="the way in")
    person.type("#name", person.name)
    person.click("#join")


def test_turn_only(party):
    """Phones that reach neither each other nor the web server: the hub brings the TURN credentials, too."""
    phones = [party.network.phone(name) for name in ("ada", "bob")]
    for phone in phones:
        phone.hear_only_box()
    with hub_only(party) as (ada, bob):
        party.meet(ada, bob, timeout=60)
        for person in (ada, bob):
            wait_until(lambda: [link["kind"] for link in links(person).values()] == ["relayed"], 20,
                       f"{person.name}'s page knows that the box relays", detail=party.describe)
        party.says(bob, "through the box in every way", ada)


# Coming back


def test_box_killed(party):
    """SIGKILL: running links go on untouched; the hub-carried pages come back by the hub, under the same ids."""
    with hub_only(party) as (ada, bob):
        party.meet(ada, bob)
        ids, before = {own_id(ada), own_id(bob)}, attempts(ada, bob)
        party.box.kill()
        party.keeps_moving(4, ada, bob)
        party.box.start()
        start = time.monotonic()
        wait_until(lambda: set(people_in_status(party)) == ids, CARRY_LIMIT, "both are back under the same ids",
                   detail=party.describe)
        print(f"both back over the hub after {time.monotonic() - start:.1f} s")
        carried(party, "hub", ada, bob)
        assert attempts(ada, bob) == before, "the link was touched"
        party.says(ada, "still here", bob)


@pytest.mark.parametrize("stop", ["kill", "terminate"])
def test_box_restarted_at_once(party, stop):
    """The box is there again before its silence is noticed, and knows no phone: the pages find out and dial anew."""
    with hub_only(party) as (ada, bob):
        ids = {own_id(ada), own_id(bob)}
        getattr(party.box, stop)()
        party.box.start()
        start = time.monotonic()
        wait_until(lambda: set(people_in_status(party)) == ids, CARRY_LIMIT, "both are back under the same ids",
                   detail=party.describe)
        print(f"both back over the hub after {time.monotonic() - start:.1f} s")
        for person in (ada, bob):
            print(person.name, person.snapshot()["dialling"]["history"])
        carried(party, "hub", ada, bob)


def test_wifi_lost_for_30_seconds(party):
    """A phone on the hub without Wi-Fi for 30 s is back by itself under its id, and the pictures move again."""
    with hub_only(party) as (ada, bob):
        party.meet(ada, bob)
        ids = (own_id(ada), own_id(bob))
        with ada.phone.without_wifi():
            wait_until(lambda: "reconnecting to ada" in (bob.text("body") or "").lower(), 20, "bob is told",
                       detail=party.describe)
            wait_until(lambda: "box does not answer" in (ada.text("body") or "").lower(), 20, "ada is told",
                       detail=party.describe)
            ada.screenshot("hub-wifi-lost-chromium")
            time.sleep(15)
        start = time.monotonic()
        party.meet(ada, bob, timeout=90)
        carried(party, "hub", ada)
        print(f"back after {time.monotonic() - start:.1f} s")
        assert (own_id(ada), own_id(bob)) == ids
        party.says(ada, "there you are", bob)


def test_phone_on_the_hub_moves_to_another_address(party):
    """A phone that roams keeps its place in the room."""
    with hub_only(party, party.chromium("ada")) as (ada,):
        identity = own_id(ada)
        ada.phone.move(99)
        time.sleep(1)
        bob = party.firefox("bob")
        party.join(bob)
        party.meet(ada, bob, timeout=90)
        carried(party, "hub", ada)
        assert own_id(ada) == identity and set(people_in_status(party)) == {identity, own_id(bob)}


def test_rotation(party):
    """Whoever is on the hub is sent out with words."""
    with hub_only(party) as (ada, bob):
        party.box.rotate()
        for person in (ada, bob):
            person.wait("globalThis.kibitzLocal?.snapshot().then(page => page.state === 'rotated')", 20, "left the room")
            assert "scan the new code" in person.text("main").lower()
            person.screenshot(f"hub-rotated-{person.kind}")
        assert people_in_status(party) == {}


# One way dies, the other carries


def test_websocket_dies_and_the_hub_carries(party):
    """In the middle of a call the web server is out of reach: the hub takes over, and no link is touched."""
    ada, bob = party.two()
    ids, before = {own_id(ada), own_id(bob)}, attempts(ada, bob)
    assert [carrier(person) for person in (ada, bob)] == ["websocket"] * 2
    with ada.phone.without_web(), bob.phone.without_web():
        start = time.monotonic()
        carried(party, "hub", ada, bob)
        print(f"the hub carries after {time.monotonic() - start:.1f} s")
        party.keeps_moving(3, ada, bob)
        assert set(people_in_status(party)) == ids
        assert attempts(ada, bob) == before, "the link was touched"
        assert [len(person.snapshot()["people"]) for person in (ada, bob)] == [1, 1], "nobody is there twice"


def test_hub_dies_and_the_websocket_carries(party):
    """The other way round: UDP to the hub is cut, and TCP is back."""
    with hub_only(party) as (ada, bob):
        party.meet(ada, bob)
        ids = {own_id(ada), own_id(bob)}
    port = blob(party).rpartition("~")[2]
    with ada.phone.blocked(f"udp dport {port}"), bob.phone.blocked(f"udp dport {port}"):
        carried(party, "websocket", ada, bob)
        party.keeps_moving(3, ada, bob)
        assert set(people_in_status(party)) == ids


def test_open_in_another_tab(party):
    """The same person elsewhere, over the hub: this page ends with words and does not fight for the place."""
    with hub_only(party, party.chromium("ada")) as (ada,):
        identity = own_id(ada)
        token = ada.eval("JSON.parse(localStorage.getItem('kibitz-local.token.0'))")
        twin = party.chromium("twin")
        # Right after its own dialling a page would take it for a second line of its own.
        time.sleep(3)
        twin.open(f"{party.link()}&t={token}&n=ada")
        party.enter(twin)
        wait_until(lambda: own_id(twin) == identity, CARRY_LIMIT, "the same person", detail=party.describe)
        ada.wait("globalThis.kibitzLocal.snapshot().then(page => page.state === 'replaced')", 20, "the words")
        time.sleep(3)
        assert ada.snapshot()["state"] == "replaced" and list(people_in_status(party)) == [identity]


def test_page_from_the_copy_comes_back_by_the_hub(party):
    """A page that the phone keeps as an app opens without the web server, and the remembered blob leads it in."""
    certificate = authority(party)
    ada = party.chromium("ada", accept_certificates=False, trust=lambda database: trust(certificate, database))
    party.join(ada)
    ada.wait("navigator.serviceWorker.ready.then(() => true)", 20, "its service worker")
    ada.wait("caches.open('kibitz-local-page').then(cache => cache.keys()).then(keys => keys.length > 30)", 20, "the copy")
    ada.wait("!!localStorage.getItem('kibitz-local.hub')", 20, "the blob")
    identity = own_id(ada)
    with ada.phone.without_web():
        # As from the home screen: the address has neither secret nor blob.
        ada.open(f"{party.box.https}/")
        wait_until(lambda: own_id(ada) == identity, CARRY_LIMIT, "ada is back under the same id", detail=party.describe)
        assert carrier(ada) == "hub"
        ada.screenshot("copy-over-hub-chromium")


# What the owner may turn on


@with_settings(discovery=True)
def test_discovery_is_told(party):
    """Where the hub can be found without its code, the page says what that means, before and in the room."""
    ada = party.chromium("ada", size=(360, 640))
    at_door(ada, link=party.link())
    ada.wait("document.querySelector('#lobby-discovery')?.checkVisibility()", 20, "the warning")
    assert "pose as the box" in ada.text("#lobby-discovery")
    ada.screenshot("discovery-door-chromium")
    party.enter(ada)
    wait_until(lambda: own_id(ada), CARRY_LIMIT, "ada is in the room", detail=party.describe)
    ada.click("#people-open")
    assert "pose as the box" in ada.text("#people-discovery")
    ada.screenshot("discovery-people-chromium")


@with_settings(direct="echo")
@pytest.mark.parametrize("kind", ["chromium", "firefox"])
def test_direct(party, kind):
    """The page /direct reaches the box by WebRTC Direct, version 2; short and long texts come back."""
    ada = getattr(party, kind)("ada")
    ada.open(f"{party.box.http}/direct")
    ada.wait("document.querySelector('#direct-form button').disabled === false", 30, "the connection")
    assert "Connected" in ada.text("#direct-status")
    ada.type("#direct-text", "Hello, box 👋")
    ada.press("Enter")
    ada.wait("document.querySelectorAll('#direct-echoes li').length === 1", 10, "the echo")
    echo = ada.text("#direct-echoes li")
    assert echo.startswith("Hello, box 👋") and "15 bytes came back after" in echo, echo
    # Many pieces of 60 KB, which the box puts together and takes apart again.
    ada.eval("(() => { document.querySelector('#direct-text').value = 'abc'.repeat(100_000); })()")
    ada.click("#direct-form button")
    ada.wait("document.querySelectorAll('#direct-echoes li').length === 2", 20, "the long echo")
    assert "300000 bytes came back after" in ada.text("#direct-echoes li")
    ada.screenshot(f"direct-{kind}")


def test_direct_is_off_by_default(box):
    """Nothing of it is offered unless the owner wants it."""
    assert [box.fetch(path).status for path in ("/api/direct", "/direct", "/direct.html")] == [404] * 3
