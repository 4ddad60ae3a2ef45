"""The portal: what each system asks when it joins the box's own Wi-Fi, and what it gets before and after the one tap."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import pytest

from Rig import network
from Rig.lan import Lan
from Rig.waiting import wait_until

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/60.0.3112.32 Safari/537.36"


class Probe(NamedTuple):
    """What a system asks, and the answer by which it takes a Wi-Fi for good."""

    url: str
    agent: str
    status: int
    type: str | None
    body: bytes
    field: tuple[str, str] | None = None


APPLE = b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
PROBES = {
    "ios": Probe("http://captive.apple.com/hotspot-detect.html", "CaptiveNetworkSupport-443.0.0.0.1 wispr", 200,
                 "text/html", APPLE),
    "macos": Probe("http://www.apple.com/library/test/success.html", "CaptiveNetworkSupport-443.0.0.0.1 wispr", 200,
                   "text/html", APPLE),
    "android": Probe("http://connectivitycheck.gstatic.com/generate_204", CHROME, 204, None, b""),
    "android-fallback": Probe("http://www.google.com/gen_204", CHROME, 204, None, b""),
    "another-android": Probe("http://connect.rom.miui.com/generate_204", CHROME, 204, None, b""),
    "windows": Probe("http://www.msftconnecttest.com/connecttest.txt", "Microsoft NCSI", 200, "text/plain",
                     b"Microsoft Connect Test"),
    "windows-7": Probe("http://www.msftncsi.com/ncsi.txt", "Microsoft NCSI", 200, "text/plain", b"Microsoft NCSI"),
    "firefox": Probe("http://detectportal.firefox.com/canonical.html", "Mozilla/5.0 Firefox/140.0", 200, "text/html",
                     b'<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>'),
    "firefox-ipv4": Probe("http://detectportal.firefox.com/success.txt?ipv4", "Mozilla/5.0 Firefox/140.0", 200,
                          "text/plain", b"success\n"),
    "gnome": Probe("http://nmcheck.gnome.org/check_network_status.txt", "NetworkManager", 200, "text/plain",
                   b"NetworkManager is online\n"),
    "arch": Probe("http://ping.archlinux.org/nm-check.txt", "NetworkManager", 200, "text/plain",
                  b"NetworkManager is online\n"),
    "opensuse": Probe("http://conncheck.opensuse.org/", "NetworkManager", 200, "text/plain",
                      b"NetworkManager is online\n"),
    "fedora": Probe("http://fedoraproject.org/static/hotspot.txt", "NetworkManager", 200, "text/plain", b"OK"),
    # An empty answer is a portal's to NetworkManager, unless this field says otherwise. The name ends with a dot.
    "ubuntu": Probe("http://connectivity-check.ubuntu.com./", "NetworkManager", 204, None, b"",
                    ("x-networkmanager-status", "online")),
}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module", autouse=True)
def _namespaces():
    trouble = network.trouble()
    if trouble:
        pytest.fail(trouble)


@pytest.fixture(scope="module")
def shared():
    with Lan() as made, made.start_box({"name": "Bridge & <Club>"}) as box:
        yield made, box


@pytest.fixture
def lan():
    with Lan() as made:
        yield made


def ask(phone, url: str, *arguments: str) -> Answer:
    """One request from a phone, whose names are asked of the box by DNS; redirections are not followed."""
    result = phone.curl("--include", *arguments, url, resolver="10.77.0.1")
    assert result.returncode == 0, f"curl {url} ended with {result.returncode}"
    head, _, body = result.stdout.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {key.lower(): value.strip() for key, value in (line.split(":", 1) for line in lines[1:])}
    return Answer(int(lines[0].split()[1]), headers, body)


def guest(lan, name: str):
    """A phone with an address that has just joined."""
    phone = lan.phone(name)
    phone.ask()
    wait_until(lambda: phone.reaches("10.77.0.1"), 5, "the box answers")
    return phone


def tap(phone) -> Answer:
    """Tap the portal page's one button."""
    page = ask(phone, "http://10.77.0.1/portal").body.decode()
    form = re.search(r'<form method="post" action="([^"]+)"><button [^>]*type="submit">', page)
    return ask(phone, f"http://10.77.0.1{form[1]}", "--data", "")


@pytest.mark.parametrize("system", PROBES)
def test_probes_fail_until_the_tap_and_succeed_after_it(shared, system):
    lan, _ = shared
    probe = PROBES[system]
    phone = guest(lan, system)
    first = ask(phone, probe.url, "--user-agent", probe.agent)
    assert first.status == 302
    assert first.headers["location"] == "http://10.77.0.1/portal"
    assert first.headers["cache-control"] == "no-store"
    assert first.body != probe.body
    # The probe again and again changes nothing: only the person's tap does.
    assert ask(phone, probe.url).status == 302
    page = ask(phone, first.headers["location"])
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    done = tap(phone)
    assert done.status == 200 and b"stays on this Wi-Fi" in done.body
    after = ask(phone, probe.url, "--user-agent", probe.agent)
    assert (after.status, after.body) == (probe.status, probe.body)
    assert after.headers.get("content-type") == probe.type
    assert after.headers["cache-control"] == "no-store", "on the next Wi-Fi it would be wrong"
    if probe.field:
        assert probe.field[0] not in first.headers
        assert after.headers.get(probe.field[0]) == probe.field[1]
    if probe.status == 204:
        assert "content-length" not in after.headers and "transfer-encoding" not in after.headers


def test_the_page_is_words_and_one_button(shared):
    lan, box = shared
    phone = guest(lan, "reader")
    page = ask(phone, "http://10.77.0.1/portal")
    text = page.body.decode()
    assert "<script" not in text and "onclick" not in text, "Apple's window runs none"
    assert text.count("<button") == 1 and text.count("<form") == 1
    assert "Bridge &amp; &lt;Club&gt;" in text
    assert "scan the room’s code on the box" in text
    # It told people to type what stands below the code. On a panel that is an address, which lets nobody in.
    assert "ask somebody in the room for its link" in text and "type" not in re.sub(r"<[^>]*>", "", text)
    # Phones pass the Wi-Fi's passphrase on; the room is for who sees its code.
    assert box.secret not in text
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]
    # What it loads is there, and nothing is loaded from elsewhere.
    for path in re.findall(r'(?:href|src)="([^"]+)"', text):
        assert path.startswith("/portal/"), path
        assert ask(phone, f"http://10.77.0.1{path}").status == 200, path
    head = ask(phone, "http://10.77.0.1/portal", "--head")
    assert head.status == 200 and int(head.headers["content-length"]) == len(page.body) and head.body == b""
    assert ask(phone, "http://10.77.0.1/portal", "--request", "DELETE").status == 405


def test_every_other_name_leads_to_the_portal_then_to_the_room(shared):
    lan, _ = shared
    phone = guest(lan, "wanderer")
    assert ask(phone, "http://news.example/today?x=1").headers["location"] == "http://10.77.0.1/portal"
    # What Windows opens when a probe was redirected.
    assert ask(phone, "http://www.msftconnecttest.com/redirect").headers["location"] == "http://10.77.0.1/portal"
    assert ask(phone, "http://news.example/form", "--data", "a=b").status == 421, "what is sent elsewhere is not taken"
    tap(phone)
    assert ask(phone, "http://news.example/today").headers["location"] == "http://10.77.0.1/"


def test_the_box_itself_is_open_to_everyone(shared):
    lan, box = shared
    phone = guest(lan, "opener")
    page = ask(phone, "http://10.77.0.1/")
    assert page.status == 200 and b"Opening the room" in page.body
    assert json.loads(ask(phone, "http://10.77.0.1/api/room").body)["name"] == "Bridge & <Club>"
    assert ask(phone, "http://LOCALHOST:80/api/room", "--resolve", "LOCALHOST:80:10.77.0.1").status == 200


def test_each_device_taps_for_itself(shared):
    lan, _ = shared
    ada, bob = guest(lan, "ada"), guest(lan, "bob")
    probe = PROBES["android"]
    tap(ada)
    assert ask(ada, probe.url).status == 204
    assert ask(bob, probe.url).status == 302


def test_an_address_that_changes_hands_takes_nothing_along(shared):
    lan, _ = shared
    phone = guest(lan, "passer")
    tap(phone)
    assert ask(phone, PROBES["android"].url).status == 204
    address = phone.address
    phone.take_mac("02:00:00:00:77:01")
    phone.run("ip", "address", "add", f"{address}/24", "dev", "wlan")
    wait_until(lambda: phone.reaches("10.77.0.1"), 10, "the box knows the new device")
    assert ask(phone, PROBES["android"].url).status == 302


def test_the_api(shared):
    """RFC 8908, at the URL that DHCP tells."""
    lan, _ = shared
    phone = lan.phone("modern")
    url = phone.ask().api
    answer = ask(phone, url, "--insecure", "--header", "Accept: application/captive+json")
    assert answer.status == 200 and answer.headers["content-type"] == "application/captive+json"
    assert "no-store" in answer.headers["cache-control"] and "private" in answer.headers["cache-control"]
    told = json.loads(answer.body)
    assert told == {"captive": True, "user-portal-url": "https://10.77.0.1/portal"}
    page = ask(phone, told["user-portal-url"], "--insecure")
    assert page.status == 200
    assert ask(phone, told["user-portal-url"], "--insecure", "--data", "").status == 200
    assert json.loads(ask(phone, url, "--insecure").body)["captive"] is False
    # Section 4: over TLS only.
    assert ask(phone, url.replace("https:", "http:")).status == 404


def test_who_opens_the_room_stays_without_the_tap(shared):
    lan, box = shared
    phone = guest(lan, "quick")
    assert ask(phone, PROBES["android"].url).status == 302
    wrong = ask(phone, "http://10.77.0.1/api/session", "--data", json.dumps({"secret": "A" * 22}))
    assert wrong.status == 403
    assert ask(phone, PROBES["android"].url).status == 302
    assert ask(phone, "http://10.77.0.1/api/session", "--data", json.dumps({"secret": box.secret})).status == 200
    assert ask(phone, PROBES["android"].url).status == 204


def test_other_networks_have_no_portal(shared):
    lan, box = shared
    answer = box.fetch("/generate_204", headers={"Host": "connectivitycheck.gstatic.com"})
    assert answer.status == 404
    assert box.fetch("/portal").status == 404
    assert box.fetch("/api/captive-portal", secure=True).status == 404
    # A machine on the cable.
    result = network.run("ip", "netns", "exec", lan.uplink, "curl", "--silent", "--head", "--header", "Host: foo.example",
                         "http://192.168.200.1/")
    assert result.startswith("HTTP/1.1 200")


def test_taps_outlive_a_restart_and_end_with_a_rotation(lan):
    probe = PROBES["android"]
    with lan.start_box() as box:
        phone = guest(lan, "ada")
        tap(phone)
        assert ask(phone, probe.url).status == 204
        wait_until((box.state / "portal").exists, 5, "the tap is on the disk")
        box.kill()
        box.start()
        wait_until(lambda: phone.reaches("10.77.0.1"), 5, "the box answers")
        assert ask(phone, probe.url).status == 204, "nobody has to tap again because the box restarted"
        box.rotate()
        assert ask(phone, probe.url).status == 302, "a new company taps anew"
        tap(phone)
        assert ask(phone, probe.url).status == 204


def test_the_web_server_may_be_at_other_ports(lan):
    """Systems look for a portal at port 80 whatever the box's ports are."""
    with lan.start_box({"http.port": 8080, "https.port": 8443}):
        phone = guest(lan, "ada")
        first = ask(phone, PROBES["ios"].url)
        assert first.status == 302 and first.headers["location"] == "http://10.77.0.1:8080/portal"
        assert ask(phone, "http://10.77.0.1:8080/portal", "--data", "").status == 200
        assert ask(phone, PROBES["ios"].url).body == APPLE
        assert phone.ask().api == "https://10.77.0.1:8443/api/captive-portal"
        told = json.loads(ask(phone, "https://10.77.0.1:8443/api/captive-portal", "--insecure").body)
        assert told["user-portal-url"] == "https://10.77.0.1:8443/portal"


def test_a_site_of_the_owners_has_the_portal_too(lan, tmp_path):
    (tmp_path / "index.html").write_text("<title>Mine</title>")
    with lan.start_box({"web.root": str(tmp_path), "names": ["room.example.org"]}):
        phone = guest(lan, "ada")
        assert ask(phone, PROBES["ios"].url).status == 302
        assert ask(phone, "http://10.77.0.1/portal/styles.css").headers["content-type"].startswith("text/css")
        assert b"Mine" in ask(phone, "http://room.example.org/").body, "the owner's name is the box's own"
        assert phone.ask().api == "https://room.example.org/api/captive-portal"
