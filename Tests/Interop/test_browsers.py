"""The room page in Chromium and Firefox, each on a phone of its own, against a real box.

Pictures of each scenario are kept in the directory `KIBITZ_SCREENSHOTS`, by default `.build/screenshots`.
"""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from Rig.party import (Party, authority, brightness, hide_chat, links, own_id, people_in_status, show_chat, trust,
                       with_settings)
from Rig.qr import scan
from Rig.waiting import wait_until


# Meeting


def test_two_phones_meet(party):
    """By the QR's picture; pictures move, chat arrives both ways, and both read the same safety code."""
    ada, bob = party.two()
    for person, other in ((ada, bob), (bob, ada)):
        snapshot = person.snapshot()
        assert snapshot["secure"] and snapshot["self"]["name"] == person.name and snapshot["self"]["camera"]
        assert [(p["id"], p["name"], p["away"]) for p in snapshot["people"]] == [(own_id(other), other.name, False)]
        wait_until(lambda: brightness(person).get(own_id(other), 0) > 40, 10,
                   f"{other.name}'s picture on {person.name}'s phone is not black", detail=lambda: brightness(person))
    (from_ada,), (from_bob,) = links(ada).values(), links(bob).values()
    assert from_ada["kind"] == from_bob["kind"] == "direct"
    assert from_ada["safetyCode"] and from_ada["safetyCode"] == from_bob["safetyCode"]
    party.says(ada, "Hello Bob 👋", bob)
    party.says(bob, "<b>Hello</b> Ada & all", ada)
    assert "<b>Hello</b> Ada & all" in ada.text("body"), "chat is text, not markup"
    for person in (ada, bob):
        person.screenshot(f"two-phones-chat-{person.kind}")
    wait_until(lambda: set(people_in_status(party)) == {own_id(ada), own_id(bob)}, 5, "both are in the status")
    assert set(people_in_status(party).values()) == {"ada", "bob"}
    wait_until(lambda: party.box.status()["links"]["healthy"] == 1, 15, "the status counts one good link",
               detail=party.box.status)


def test_five_phones_meet(party):
    """Twenty moving pictures; a word reaches all; who leaves is gone from every screen."""
    everyone = [party.firefox("bob"), party.firefox("dan"), party.chromium("ada"), party.chromium("cleo"),
                party.chromium("eve")]
    start = time.monotonic()
    party.join(*everyone)
    party.meet(*everyone, timeout=90)
    print(f"five met after {time.monotonic() - start:.1f} s")
    for person in everyone:
        assert len(person.snapshot()["people"]) == 4
        assert len({link["safetyCode"] for link in links(person).values()}) == 4
    for person in (everyone[0], everyone[2]):
        person.screenshot(f"five-phones-{person.kind}")
    party.says(everyone[2], "Can all read this?", *[person for person in everyone if person is not everyone[2]])
    leaver, *rest = everyone
    gone = own_id(leaver)
    leaver.click("#leave")
    for person in rest:
        wait_until(lambda: gone not in [p["id"] for p in person.snapshot()["people"]], 10, f"{person.name} sees bob leave",
                   detail=party.describe)
    assert gone not in people_in_status(party)
    party.meet(*rest)


def test_camera_and_microphone_off_and_on(party):
    """Both are seen by the other; the connection stays the same one, without a new negotiation of ICE."""
    ada, bob = party.two()
    before = links(bob)[own_id(ada)]
    ada.click("#toggle-microphone")
    wait_until(lambda: not ada.snapshot()["self"]["microphone"], 5, "the microphone is off")
    ada.click("#toggle-camera")
    wait_until(lambda: not ada.snapshot()["self"]["camera"], 5, "the camera is off")
    wait_until(lambda: [(p["camera"], p["microphone"]) for p in party.box.status()["people"] if p["name"] == "ada"]
               == [(False, False)], 5, "the box knows", detail=party.box.status)
    bob.screenshot("camera-off-firefox")
    ada.click("#toggle-camera")
    party.watch((bob, ada))
    after = links(bob)[own_id(ada)]
    assert (after["connections"], after["restarts"]) == (before["connections"], before["restarts"])


# Coming back


def test_box_killed(party):
    """SIGKILL: the call goes on as if nothing were; the box started again has both under their old ids, and a newcomer
    meets them."""
    ada, bob = party.two()
    ids = {own_id(ada), own_id(bob)}
    party.box.kill()
    party.keeps_moving(6, ada, bob)
    ada.screenshot("box-killed-chromium")
    party.box.start()
    wait_until(lambda: set(people_in_status(party)) == ids, 15, "both are back under the same ids", detail=party.describe)
    party.keeps_moving(3, ada, bob)
    for person in (ada, bob):
        (link,) = links(person).values()
        assert (link["connections"], link["restarts"]) == (1, 0), "the link was touched"
    party.says(ada, "still here", bob)
    cleo = party.chromium("cleo")
    party.join(cleo)
    party.meet(ada, bob, cleo)
    assert {own_id(ada), own_id(bob)} == ids


def test_box_stopped_in_order_and_started(party):
    """An update of the box: the same, with SIGTERM."""
    ada, bob = party.two()
    ids = {own_id(ada), own_id(bob)}
    party.box.terminate()
    party.box.start()
    wait_until(lambda: set(people_in_status(party)) == ids, 15, "both are back under the same ids", detail=party.describe)
    party.keeps_moving(2, ada, bob)
    assert [link["connections"] for person in (ada, bob) for link in links(person).values()] == [1, 1]


def lose(party: Party, outage, seconds: float, gone, *others) -> None:
    """One is cut off for so long; the others are told meanwhile, and afterwards all meet again under their old ids."""
    ids = {person: own_id(person) for person in (gone, *others)}
    with outage:
        start = time.monotonic()
        for other in others:
            wait_until(lambda: f"reconnecting to {gone.name}" in (other.text("body") or "").lower(), 15,
                       f"{other.name} is told", detail=lambda: f"{other.text('body')}\n{party.describe()}")
            other.screenshot(f"wifi-lost-{other.kind}")
        # When ICE, too, has noticed: what is said now can't be sent, and was not after an ICE restart either.
        time.sleep(max(0.0, 12 - (time.monotonic() - start)))
        for person, words in ((gone, "can anybody hear me?"), *((other, f"where is {gone.name}?") for other in others)):
            party.writes(person, words)
        time.sleep(max(0.0, seconds - (time.monotonic() - start)))
    start = time.monotonic()
    party.meet(gone, *others)
    print(f"back after {time.monotonic() - start:.1f} s")
    assert {person: own_id(person) for person in (gone, *others)} == ids
    wait_until(lambda: set(people_in_status(party)) == set(ids.values()), 15, "all are in the status", detail=party.describe)
    party.says(gone, "there you are", *others)
    for other in others:
        assert party.read(other, gone) == ["can anybody hear me?", "there you are"]
        wait_until(lambda: party.read(gone, other) == [f"where is {gone.name}?"], 10, f"{gone.name} reads what {other.name} wrote",
                   detail=party.describe)
    gone.screenshot(f"wifi-back-{gone.kind}")


def restarted(one, other) -> None:
    """Their link is the connection it was, healed by ICE restarts."""
    there, back = links(one)[own_id(other)], links(other)[own_id(one)]
    assert (there["connections"], back["connections"]) == (1, 1), "a new RTCPeerConnection was made"
    assert there["restarts"] + back["restarts"] >= 1, "nobody restarted ICE"


def replaced_only_if_ended(firefox, other) -> None:
    """Their link is the connection it was, or one new one, and that only where Firefox has ended the first by itself."""
    there, back = links(firefox)[own_id(other)], links(other)[own_id(firefox)]
    assert there["connections"] == back["connections"] <= 2, (there, back)
    # Whoever hears of it first has it replaced, and the other may never come to note it.
    ended = [line for line in there["history"] + back["history"] if line.endswith(("channel closed", "DTLS ended"))]
    assert there["connections"] == 1 or ended, (there, back)


def test_wifi_lost_for_30_seconds(party):
    """Back under the same id by an ICE restart of the same connection.

    Firefox can't do the latter: it ends DTLS when nothing was heard for 30 s (RFC 7675 section 5.1), and already when
    a data channel's packet can't be sent for want of an interface. No restart heals that, so a new connection must."""
    bob, ada, cleo = party.firefox("bob"), party.chromium("ada"), party.chromium("cleo")
    party.join(ada, bob, cleo)
    party.meet(ada, bob, cleo)
    lose(party, party.network.phone("cleo").without_wifi(), 30, cleo, ada, bob)
    restarted(ada, cleo)
    assert links(ada)[own_id(bob)]["connections"] == 1, "ada and bob had no trouble"


@pytest.mark.parametrize("way", ["without_wifi", "out_of_range"])
def test_firefox_cut_off_for_15_seconds(party, way):
    """Back under the same id, by an ICE restart or, where Firefox has ended DTLS by itself, by one new connection."""
    ada, bob = party.two()
    lose(party, getattr(party.network.phone("bob"), way)(), 15, bob, ada)
    # Where the way is back before ICE has given it up, neither is needed.
    replaced_only_if_ended(bob, ada)


def test_phone_moves_to_another_address(party):
    """A phone that roams comes back with another address, over the same connection.

    Firefox ends DTLS by itself where that takes long; then over one new connection."""
    bob, ada, cleo = party.firefox("bob"), party.chromium("ada"), party.chromium("cleo")
    party.join(ada, bob, cleo)
    party.meet(ada, bob, cleo)
    ids = (own_id(ada), own_id(bob), own_id(cleo))
    party.network.phone("ada").move(99)
    time.sleep(1)  # pictures on their way do not count
    party.meet(ada, bob, cleo)
    assert (own_id(ada), own_id(bob), own_id(cleo)) == ids
    assert [links(one)[own_id(other)]["connections"] for one, other in ((ada, cleo), (cleo, ada))] == [1, 1]
    replaced_only_if_ended(bob, ada)


def test_phone_locked(party):
    """The whole browser stands still for longer than the box and the others wait for a sign of life."""
    ada, bob = party.two()
    ids = (own_id(ada), own_id(bob))
    os.killpg(bob.process.pid, signal.SIGSTOP)
    try:
        time.sleep(25)
    finally:
        os.killpg(bob.process.pid, signal.SIGCONT)
    party.meet(ada, bob)
    assert (own_id(ada), own_id(bob)) == ids
    wait_until(lambda: set(people_in_status(party)) == set(ids), 15, "both are in the status", detail=party.describe)


def test_page_reloaded(party):
    """The same id, no touch, and no ghost of the old page."""
    ada, bob = party.two()
    for reloader, other in ((bob, ada), (ada, bob)):
        ids = (own_id(ada), own_id(bob))
        reloader.reload()
        wait_until(lambda: own_id(reloader) is not None, 20, "the page is back in the room", detail=party.describe)
        party.meet(ada, bob)
        assert (own_id(ada), own_id(bob)) == ids
        assert len(other.snapshot()["people"]) == 1
    assert reloader.snapshot()["self"]["name"] == reloader.name
    party.says(ada, "again", bob)


def test_rotation(party):
    """Everyone is sent out with words; the old code is refused with words; the new one works."""
    ada, bob = party.two()
    old = party.link()
    new = party.box.rotate()
    for person in (ada, bob):
        person.wait("globalThis.kibitzLocal?.snapshot().then(page => page.state === 'rotated')", 15, "left the room")
        told = person.text("main")
        assert "new code" in told.lower() or "scan" in told.lower(), told
        person.screenshot(f"rotated-{person.kind}")
    assert people_in_status(party) == {}
    cleo = party.chromium("cleo")
    cleo.open(old)
    cleo.wait("globalThis.kibitzLocal?.snapshot().then(page => page.state === 'rotated')", 15, "the refusal")
    told = cleo.text("main")
    assert "new code" in told.lower() or "scan" in told.lower(), told
    cleo.screenshot("old-code-refused-chromium")
    assert people_in_status(party) == {}
    assert party.link() == new != old
    party.join(ada, bob, cleo, link=new)
    party.meet(ada, bob, cleo)


# Ways through the network


def test_turn_only(party):
    """Phones that can't reach each other meet through the box, which counts it; and again after the box was killed."""
    phones = [party.network.phone(name) for name in ("ada", "bob")]
    for phone in phones:
        phone.hear_only_box()
    ada, bob = party.two()
    ids = {own_id(ada), own_id(bob)}
    for person in (ada, bob):
        # A relay's packet may come before its candidate does, and is then taken for direct until the next look.
        wait_until(lambda: [link["kind"] for link in links(person).values()] == ["relayed"], 15,
                   f"{person.name}'s page knows that the box relays", detail=party.describe)
    assert sum(phone.dropped() for phone in phones) > 0, "the rules dropped nothing, so they proved nothing"
    traffic = party.box.status()["traffic"]
    assert traffic["turnPackets"] > 50 and traffic["turnBytes"] > 10_000 and traffic["turnAllocations"] >= 2, traffic
    wait_until(lambda: party.box.status()["links"]["relayed"] == 1, 15, "the status counts one relayed link",
               detail=party.box.status)
    ada.screenshot("relayed-chromium")
    party.says(bob, "through the box", ada)
    party.box.kill()
    party.box.start()
    time.sleep(1)  # pictures on their way do not count
    party.meet(ada, bob, timeout=60)
    assert {own_id(ada), own_id(bob)} == ids
    assert [link["connections"] for person in (ada, bob) for link in links(person).values()] == [1, 1]


@with_settings(link__scheme="http")
def test_plain_http_then_camera(party):
    """Without a secure origin: chat and watching. "Share my camera" leads to https under the same identity."""
    link = party.link()
    assert link.startswith("http://")
    bob, ada = party.firefox("bob"), party.chromium("ada")
    secure = f"{party.box.https}/#{link.partition('#')[2]}"
    party.join(bob, link=secure)
    party.join(ada, link=link)
    party.watch((ada, bob))
    assert not ada.snapshot()["secure"] and not ada.snapshot()["self"]["camera"]
    party.says(ada, "I see you", bob)
    party.says(bob, "and I read you", ada)
    ada.screenshot("plain-http-chromium")
    bob.screenshot("watcher-seen-firefox")
    hide_chat(ada)
    ada.screenshot("watching-on-plain-http-chromium")
    identity = own_id(ada)
    ada.click("#share-camera")
    ada.wait("document.querySelector('#camera-dialog')?.checkVisibility()", 5, "the way to the camera")
    ada.screenshot("share-my-camera-chromium")
    ada.click("#share-camera-go")
    ada.wait("location.protocol === 'https:' && !!globalThis.kibitzLocal", 30, "the page by https")
    wait_until(lambda: own_id(ada) == identity, 20, "ada is back in the room by herself", detail=party.describe)
    party.meet(ada, bob)
    assert ada.snapshot()["self"]["name"] == "ada", "the name came along"
    assert [person["id"] for person in bob.snapshot()["people"]] == [identity], "no ghost of the http page"
    assert "&t=" not in ada.url(), "the token stays in no history"
    ada.screenshot("camera-shared-chromium")


@with_settings(link__scheme="http")
def test_two_watchers_on_plain_http(party):
    """Nobody has a camera: the link forms all the same, by the box's STUN, and carries the chat."""
    bob, ada = party.firefox("bob"), party.chromium("ada")
    party.join(ada, bob)
    party.says(ada, "anyone here?", bob)
    party.says(bob, "yes", ada)
    for person in (ada, bob):
        (link,) = links(person).values()
        assert link["kind"] in ("direct", "relayed")
    bob.screenshot("watchers-firefox")


# Certificates


@pytest.mark.parametrize("kind", ["chromium", "firefox"])
def test_own_authority_installed(party, kind):
    """Before it is installed the browser refuses the page, afterwards there is no error and it is a secure origin."""
    certificate = authority(party)
    open_browser = getattr(party, kind)
    stranger = open_browser("stranger", accept_certificates=False)
    with pytest.raises(Exception, match="ERR_CERT_AUTHORITY_INVALID|[Ii]nsecure|SEC_ERROR|MOZILLA_PKIX"):
        stranger.open(party.link())
    friend = open_browser("friend", accept_certificates=False, trust=lambda database: trust(certificate, database))
    party.join(friend)
    assert friend.snapshot()["secure"] and friend.eval("isSecureContext")
    friend.screenshot(f"authority-installed-{kind}")


def test_installable_as_an_app(party):
    """The page is a PWA by Chromium's own rules."""
    certificate = authority(party)
    ada = party.chromium("ada", accept_certificates=False, trust=lambda database: trust(certificate, database))
    ada.open(party.link())
    ada.wait("navigator.serviceWorker.ready.then(() => true)", 20, "its service worker")
    session = ada.context.new_cdp_session(ada.page)
    wait_until(lambda: not session.send("Page.getInstallabilityErrors")["installabilityErrors"], 15, "it can be installed",
               detail=lambda: session.send("Page.getInstallabilityErrors"))


# For everyone


def unnamed(person) -> list[str]:
    """Elements one can use but a screen reader has no name for, by Chromium's accessibility tree."""
    session = person.context.new_cdp_session(person.page)
    session.send("Accessibility.enable")
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    used = {"button", "link", "textbox", "checkbox", "combobox", "switch", "slider", "radio", "dialog", "image", "img",
            "menuitem", "tab", "searchbox"}
    found = [node for node in nodes if not node.get("ignored") and node.get("role", {}).get("value") in used]
    assert found, "the accessibility tree has nothing to use"
    return [node["role"]["value"] + " " + json.dumps(node.get("properties", []))[:200] for node in found
            if not node.get("name", {}).get("value", "").strip()]


def overflow(person) -> dict:
    """What reaches beyond the screen's width, or is too small for a finger."""
    return person.eval("""(() => {
        const width = document.documentElement.clientWidth, outside = [], small = [];
        for (const element of document.querySelectorAll('button, a[href], input, select, textarea, [role=button]')) {
            if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
            const box = element.getBoundingClientRect();
            const name = element.id || element.innerText || element.outerHTML.slice(0, 80);
            if (box.left < -0.5 || box.right > width + 0.5) outside.push(name);
            if (element.tagName === 'BUTTON' && (box.height < 40 || box.width < 40))
                small.push(`${name} ${box.width}×${box.height}`);
        }
        return { scrolls: document.documentElement.scrollWidth > width, outside, small };
    })()""")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_phone_360_pixels_wide(party, dark):
    """Nothing beyond the edge, everything big enough for a finger and named for a screen reader, in each view."""
    shade = "dark" if dark else "light"
    ada = party.chromium("ada", size=(360, 640), dark=dark)
    bob = party.firefox("bob")
    nothing = {"scrolls": False, "outside": [], "small": []}

    def check(view: str) -> None:
        ada.screenshot(f"360-{view}-{shade}")
        assert overflow(ada) == nothing, view
        assert unnamed(ada) == [], view
    ada.open(party.link())
    ada.wait("document.querySelector('#join')?.checkVisibility()", what="the way in")
    check("door")
    party.join(ada, bob)
    party.meet(ada, bob)
    check("room")
    party.says(ada, "A long word: " + "Donaudampfschifffahrt" * 5, bob)
    party.says(bob, "A sentence that does not fit on one line of a phone, to see how it wraps.", ada)
    check("chat")
    # The panel's own page once had a rule for the same class: the chat shrank to its words in the middle of the screen.
    assert ada.eval("document.querySelector('#chat-form').getBoundingClientRect().width") > 340
    ada.press("Escape")
    wait_until(lambda: not ada.eval("document.querySelector('#chat-text')?.checkVisibility() ?? false"), 5,
               "Escape closes the chat", detail=ada.describe)
    ada.click("#invite")
    ada.wait("[...document.querySelectorAll('dialog[open], [role=dialog]')].some(e => e.checkVisibility())", 10,
             "the invitation")
    check("invite")
    # The code on the screen is one a camera reads, and it leads into this room.
    invited = scan(ada.screenshot(f"360-invite-{shade}"))
    assert invited == f"{party.box.https}/#{party.box.secret}", "it begins as the box's own link does"


def test_join_by_keyboard_alone(party):
    """Tab, letters and Enter are enough to come in, to chat and to leave; the focus is always to be seen."""
    ada, bob = party.chromium("ada"), party.firefox("bob")
    party.join(bob)

    def focused() -> str:
        return ada.eval("document.activeElement?.id ?? ''")

    def reach(name: str) -> None:
        for _ in range(40):
            if focused() == name:
                assert ada.eval("document.activeElement.matches(':focus-visible') && (style => style.outlineStyle !== 'none'"
                                " || style.boxShadow !== 'none')(getComputedStyle(document.activeElement))"), name
                return
            ada.press("Tab")
        pytest.fail(f"Tab does not lead to {name}; it ended at {focused()!r}\n{ada.describe()}")
    ada.open(party.link())
    ada.wait("document.querySelector('#join')?.checkVisibility()", what="the way in")
    reach("name")
    for letter in "ada":
        ada.press(letter)
    reach("join")
    ada.press("Enter")
    wait_until(lambda: own_id(ada), 20, "ada is in the room", detail=party.describe)
    party.meet(ada, bob)
    reach("chat-open")
    ada.press("Enter")
    ada.wait("document.querySelector('#chat-text')?.checkVisibility()", 5, "the chat")
    reach("chat-text")
    for letter in "hello":
        ada.press(letter)
    ada.press("Enter")
    wait_until(lambda: [m["text"] for m in bob.snapshot()["chat"]] == ["hello"], 10, "bob reads it", detail=party.describe)
    ada.press("Escape")
    reach("leave")
    ada.press("Enter")
    wait_until(lambda: bob.snapshot()["people"] == [], 10, "ada has left", detail=party.describe)


def test_screen_reader_is_told(party):
    """Changes that matter are announced: live regions for the notice and the chat, a language, a title, landmarks."""
    ada, bob = party.two()
    show_chat(ada)
    facts = ada.eval("""({
        language: document.documentElement.lang, title: document.title,
        main: document.querySelectorAll('main').length,
        notice: document.querySelector('#notice')?.closest('[role=status], [role=alert], [aria-live]') !== null,
        log: document.querySelector('[role=log], [aria-live]') !== null,
        zoom: !/user-scalable\\s*=\\s*no|maximum-scale\\s*=\\s*1\\b/.test(
            document.querySelector('meta[name=viewport]')?.content ?? ''),
    })""")
    assert facts["language"] == "en" and facts["title"] and facts["main"] == 1, facts
    assert facts["notice"] and facts["log"] and facts["zoom"], facts
    assert ada.eval("document.querySelector('[data-peer-id=\"' + " + json.dumps(own_id(bob)) + " + '\"]').innerText") \
        .find("bob") >= 0, "a tile says whose it is"
