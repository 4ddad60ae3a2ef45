"""The web server: the page and its files, what Kibitz's app asks, certificates, and a site of the owner's."""

from __future__ import annotations

import email.utils
import hashlib
import plistlib
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from Rig.box import Box
from Rig.waiting import wait_until

# The page


def test_page_and_its_files(shared_box):
    page = shared_box.fetch("/", headers={"Accept": "text/html"})
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    assert "<title>" in page.text
    assert "'unsafe-inline'" not in page.headers["content-security-policy"], "nothing foreign may run in the page"
    assert page.headers["referrer-policy"] == "no-referrer", "the link's secret leaves in no header"
    script = shared_box.fetch("/app/main.js")
    assert script.status == 200 and script.headers["content-type"].startswith("text/javascript")
    assert shared_box.fetch("/icons/").status == 404


def test_page_is_sent_again_only_when_it_has_changed(shared_box):
    first = shared_box.fetch("/app/main.js")
    assert abs(email.utils.parsedate_to_datetime(first.headers["date"]).timestamp() - time.time()) < 5
    again = shared_box.fetch("/app/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert again.status == 304 and again.body == b""
    other = shared_box.fetch("/app/main.js", headers={"If-None-Match": '"something-else"'})
    assert other.status == 200 and other.body == first.body
    head = shared_box.fetch("/app/main.js", method="HEAD")
    assert head.status == 200 and head.body == b"" and int(head.headers["content-length"]) == len(first.body)


def test_session_is_for_whoever_has_the_secret(shared_box):
    granted = shared_box.fetch("/api/session", method="POST", body={"secret": shared_box.secret}).json()
    assert granted["id"].startswith("kl-") and granted["generation"] == shared_box.status()["room"]["generation"]
    again = shared_box.fetch(
        "/api/session", method="POST", body={"secret": shared_box.secret, "token": granted["token"]}).json()
    assert again["id"] == granted["id"], "an earlier token keeps the identity"
    forged = shared_box.fetch(
        "/api/session", method="POST", body={"secret": shared_box.secret, "token": granted["token"][:-1] + "A"}).json()
    assert forged["id"] != granted["id"] or granted["token"].endswith("A"), "a token of nobody's gives no identity"
    refused = shared_box.fetch("/api/session", method="POST", body={"secret": "x" * 22, "token": granted["token"]})
    assert refused.status == 403 and refused.json()["error"] == "rotated" and "Scan" in refused.json()["message"]
    assert shared_box.fetch("/api/session", method="POST", body=b"not JSON").status == 400
    assert shared_box.fetch("/api/session").status in (404, 405)


def test_room_tells_no_secret(shared_box):
    room = shared_box.fetch("/api/room")
    assert room.json()["name"] == "Kibitz Local" and room.json()["https"] == shared_box.https_port
    assert shared_box.secret not in room.text


def test_invitations_begin_as_the_boxes_own_link(shared_box):
    assert shared_box.fetch("/api/room").json()["scheme"] == "http"
    with Box({"link.scheme": "https"}) as box:
        assert box.link.startswith("https:") and box.fetch("/api/room").json()["scheme"] == "https"


# What Kibitz's app and PeerJS clients ask


def test_turn_is_where_the_phone_reached_the_box(shared_box):
    answer = shared_box.fetch("/api/turn", headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    turn = answer.json()
    assert turn["configured"] is True and turn["tier"] == "open"
    stun, relay = turn["iceServers"]
    assert stun["urls"] == [f"stun:127.0.0.1:{shared_box.stun_port}"]
    assert relay["urls"] == [f"turn:127.0.0.1:{shared_box.stun_port}?transport=udp"]
    assert relay["username"] and relay["credential"]
    other = shared_box.fetch("/api/turn").json()["iceServers"][1]
    assert other["username"] != relay["username"], "everyone has credentials of their own"


def test_turn_can_be_switched_off():
    with Box({"turn.enabled": False}) as box:
        turn = box.fetch("/api/turn").json()
        assert turn["configured"] is False
        assert [server["urls"] for server in turn["iceServers"]] == [[f"stun:127.0.0.1:{box.stun_port}"]]


def test_signal_names_a_broker_only_where_the_app_would_look(shared_box):
    """The app goes to TLS on port 443; this box's HTTPS is elsewhere."""
    answer = shared_box.fetch("/api/signal")
    assert answer.json() == {"host": None} and answer.headers["access-control-allow-origin"] == "*"


def test_peerserver_says_who_it_is(shared_box):
    greeting = shared_box.fetch("/", headers={"Accept": "application/json"})
    assert set(greeting.json()) == {"name", "description", "website"}
    fresh = {shared_box.fetch("/peerjs/id").text for _ in range(5)}
    assert len(fresh) == 5
    assert shared_box.fetch("/peerjs/peers").status == 401, "who is there is nobody's business unless the owner says so"
    preflight = shared_box.fetch(
        "/peerjs/id", method="OPTIONS",
        headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"})
    assert preflight.status == 204 and preflight.headers["access-control-allow-origin"] == "*"


def test_broker_at_another_path_and_key():
    with Box({"broker.path": "/broker", "broker.key": "sesame", "broker.discovery": True}) as box:
        assert set(box.fetch("/broker").json()) == {"name", "description", "website"}
        assert box.fetch("/broker/sesame/id").status == 200
        assert box.fetch("/broker/sesame/peers").json() == []
        assert box.fetch("/peerjs/id").status == 404


# A site of the owner's


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html><title>The owner's app</title>")
    (root / "assets" / "app.js").write_text("console.log('hello')")
    return root


def test_site_of_the_owners(site):
    with Box({"web.root": str(site)}) as box:
        assert "The owner's app" in box.fetch("/").text
        script = box.fetch("/assets/app.js")
        assert script.status == 200 and "javascript" in script.headers["content-type"]
        assert box.fetch("/assets/none.js", headers={"Accept": "*/*"}).status == 404, "a missing file is no page"
        deep = box.fetch("/room/of/the/app", headers={"Accept": "text/html,application/xhtml+xml"})
        assert deep.status == 200 and "The owner's app" in deep.text, "single-page fallback"
        assert box.fetch("/api/room").status == 200, "the box's own answers stay"
        (site / "index.html").write_text("<!doctype html><title>A new build</title>")
        assert "A new build" in box.fetch("/").text, "no restart for a new build"


# Certificates


def certificate_of(box: Box) -> bytes:
    """What HTTPS shows, in DER."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", box.https_port), 5) as raw, context.wrap_socket(raw) as tls:
        return tls.getpeercert(binary_form=True)


def test_own_authority_vouches_for_the_box(shared_box):
    crt = shared_box.fetch("/ca.crt")
    assert crt.headers["content-type"] == "application/x-x509-ca-cert"
    context = ssl.create_default_context(cadata=crt.body)
    with socket.create_connection(("127.0.0.1", shared_box.https_port), 5) as raw:
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as tls:
            assert tls.version() in ("TLSv1.2", "TLSv1.3")
            names = tls.getpeercert()["subjectAltName"]
    assert ("IP Address", "127.0.0.1") in names
    assert any(kind == "DNS" and name.endswith(".local") for kind, name in names)


def test_apple_profile_holds_the_authority(shared_box):
    answer = shared_box.fetch("/ca.mobileconfig")
    assert answer.headers["content-type"] == "application/x-apple-aspen-config"
    profile = plistlib.loads(answer.body)
    (payload,) = profile["PayloadContent"]
    assert payload["PayloadType"] == "com.apple.security.root"
    assert payload["PayloadContent"] == shared_box.fetch("/ca.crt").body


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    chain, key = folder / "chain.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key) + ".new",
         "-out", str(chain) + ".new"], check=True, capture_output=True, timeout=20)
    for file in (chain, key):
        Path(str(file) + ".new").rename(file)
    return chain, key


def test_certificate_of_the_owners_and_its_renewal(tmp_path):
    chain, key = make_certificate(tmp_path, "cards.example.org")
    with Box({"certificate.chain": str(chain), "certificate.key": str(key), "names": ["cards.example.org"]}) as box:
        first = certificate_of(box)
        assert hashlib.sha256(first).digest() == hashlib.sha256(
            ssl.PEM_cert_to_DER_cert(chain.read_text())).digest()
        assert box.link.startswith(f"https://cards.example.org:{box.https_port}/#"), "phones know this certificate"
        assert box.status()["certificate"] == "owner" and box.fetch("/api/room").json()["certificate"] == "owner"
        assert box.fetch("/ca.crt").status == 404, "there is nothing to install"

        make_certificate(tmp_path, "cards.example.org")
        renewed = ssl.PEM_cert_to_DER_cert(chain.read_text())
        assert renewed != first
        wait_until(lambda: certificate_of(box) == renewed, 30, "the renewed certificate serves without a restart")

        chain.write_text("this is no certificate")
        wait_until(lambda: box.status()["trouble"], 30, "the status says what is wrong with the files")
        assert certificate_of(box) == renewed, "the last good certificate goes on serving"
