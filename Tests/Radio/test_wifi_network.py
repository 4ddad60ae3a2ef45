"""What a phone meets on the box's Wi-Fi: an address, names, the portal, each other; and nothing that is not meant for it."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import time
from pathlib import Path

import pytest
from conftest import ACCESS_POINT

from Rig.network import inside, run
from Rig.waiting import wait_until
from Rig.wifi import LEASE_LIMIT, Program, WiFiPhone, WPASupplicant

pytestmark = pytest.mark.box

PHONES = 2


@pytest.fixture
def guest(box, phone):
    """A phone on the Wi-Fi that has no address yet."""
    phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    return phone


@pytest.fixture
def online(box, guest):
    """A phone with an address."""
    guest.lease()
    return guest


def resolve(phone: WiFiPhone, name: str, family: str = "ahostsv4") -> list[str]:
    """The addresses of a name, as the phone's programs get them."""
    told = phone.run("getent", family, name, check=False).stdout
    return sorted({line.split()[0] for line in told.splitlines()})


# Addresses


def test_an_address_the_box_as_router_and_name_server_and_where_the_portal_is(box, guest):
    told = guest.lease()
    network = ipaddress.ip_network(f"{box.wifi_address}/24", strict=False)
    assert ipaddress.ip_address(guest.address) in network and guest.address != box.wifi_address
    assert str(next(network.hosts())) == box.wifi_address, "the box comes first"
    assert told["router"] == told["dns"] == told["serverid"] == box.wifi_address
    # RFC 8910's option 114; udhcpc gives what it does not know in hexadecimal.
    portal = bytes.fromhex(told["opt114"]).decode()
    assert portal.startswith("https://") and box.wifi_address in portal


def dhclient(phone: WiFiPhone) -> None:
    hooks = Path("/etc/dhcp/dhclient-enter-hooks.d/rig")
    hooks.parent.mkdir(parents=True, exist_ok=True)
    hooks.write_text(f'make_resolv_conf() {{ echo "nameserver $new_domain_name_servers" >{phone.resolver}; }}\n')
    phone.start("dhclient", "-d", "-1", "-lf", "/run/rig-dhclient", "-pf", "/run/rig-dhclient.pid", phone.radio)


def networkd(phone: WiFiPhone) -> None:
    Path("/etc/systemd/network").mkdir(parents=True, exist_ok=True)
    Path("/etc/systemd/network/10-rig.network").write_text(
        f"[Match]\nName={phone.radio}\n[Network]\nDHCP=yes\nIPv6AcceptRA=yes\nLLMNR=no\nMulticastDNS=no\n")
    run("install", "-d", "-o", "systemd-network", "-g", "systemd-network", "/run/systemd/netif", "/run/systemd/netif/links",
        "/run/systemd/netif/leases", "/run/systemd/netif/lldp")
    # A /sys that can't be written means to it that no udev is there to wait for.
    phone.start("sh", "-c", "mount -o remount,ro /sys && exec /lib/systemd/systemd-networkd")
    phone.resolver.write_text("nameserver 10.77.0.1\n")


@pytest.mark.parametrize("client", [dhclient, networkd])
def test_other_dhcp_clients_get_on_as_well(box, guest, client):
    client(guest)
    wait_until(guest.addresses, LEASE_LIMIT, "it has an address", every=0.1, detail=guest.describe)
    route = json.loads(run("ip", "-n", guest.namespace, "-j", "route", "show", "default"))
    assert [entry["gateway"] for entry in route] == [box.wifi_address]
    assert guest.ping(box.wifi_address) == 3
    assert resolve(guest, "example.com") == [box.wifi_address]


def test_phones_make_themselves_ipv6_addresses_of_a_prefix_of_the_boxs_own(box, online):
    found = wait_until(lambda: online.addresses("inet6"), 30, "it has an address", detail=online.link)
    assert all(ipaddress.ip_address(address) in ipaddress.ip_network("fd00::/8") for address in found)
    route = json.loads(run("ip", "-n", online.namespace, "-6", "-j", "route", "show"))
    assert not [entry for entry in route if entry["dst"] == "default"], "the box leads nowhere"
    of_box = [entry["local"] for entry in json.loads(run("ip", "-j", "-6", "addr", "show", "dev", box.interface))[0]["addr_info"]
              if entry["scope"] == "global"]
    assert of_box and online.ping(of_box[0]) == 3


def test_the_owner_can_ask_a_phone_whether_it_is_there(box, online):
    """Its answer was dropped."""
    wait_until(lambda: online.addresses("inet6"), 20, "the phone has an IPv6 address")
    for address in (online.address, online.addresses("inet6")[0]):
        assert " 3 received" in run("ping", "-n", "-c", "3", "-i", "0.2", "-W", "2", address, check=False), address


def test_a_lease_lasts_when_the_server_dies_and_when_the_box_restarts(box, online):
    former = online.address
    server = next(pid for pid in box.pids() if Path(f"/proc/{pid}/comm").read_text().strip() == "dnsmasq")
    # It complains of an address that goes and comes; that is not why it ends.
    run("sysctl", "-qw", f"net.ipv6.conf.{box.interface}.disable_ipv6=1")
    time.sleep(40)
    run("kill", "-KILL", str(server))
    assert wait_until(lambda: box.wifi()["trouble"], 5, "the box says so", every=0.02) == (
        "dnsmasq does not run, so phones get no address: signal 9 ended it")
    wait_until(lambda: any(Path(f"/proc/{pid}/comm").read_text().strip() == "dnsmasq" for pid in box.pids()), 20,
               "there is a new one", every=0.1, detail=box.describe)
    wait_until(lambda: resolve(online, "example.com"), 20, "it answers")
    online.run("ip", "addr", "flush", "dev", online.radio)
    online.lease()
    assert online.address == former
    box.kill()
    wait_until(lambda: "dnsmasq" not in run("ps", "-eo", "comm"), 10, "nothing of the box is left")
    box.start()
    box.wait_up()
    online.client.wait_connected(60)
    online.lease()
    assert online.address == former


@pytest.mark.parametrize("taken", ["10.77.0.7/24", "10.0.0.2/8"])
def test_where_a_cable_uses_the_same_addresses_the_wifi_takes_others(air, phones, taken):
    with uplink(taken), ACCESS_POINT(air) as box:
        network = ipaddress.ip_network(f"{box.wifi_address}/24", strict=False)
        assert not network.overlaps(ipaddress.ip_interface(taken).network)
        phone = phones.new()
        phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
        phone.lease()
        assert phone.ping(box.wifi_address) == 3


# Names and the portal

PROBES = {
    "iOS": ("http://captive.apple.com/hotspot-detect.html", "CaptiveNetworkSupport-481.100.4 wispr",
            200, "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"),
    "Android": ("http://connectivitycheck.gstatic.com/generate_204", "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 8)", 204, ""),
    "Samsung": ("http://connectivitycheck.samsung.com/generate_204", "okhttp/4.12", 204, ""),
    "Windows": ("http://www.msftconnecttest.com/connecttest.txt", "Microsoft NCSI", 200, "Microsoft Connect Test"),
    "Windows 7": ("http://www.msftncsi.com/ncsi.txt", "Microsoft NCSI", 200, "Microsoft NCSI"),
    "Firefox": ("http://detectportal.firefox.com/success.txt?ipv4", "Mozilla/5.0 Firefox/153.0", 200, "success\n"),
}
"""What each system asks a new Wi-Fi for, and what it takes for internet."""


@pytest.mark.parametrize("name", ["example.com", "captive.apple.com", "kibitz.chat", "a.b.c.d.example", "router"])
def test_every_name_is_the_box(box, online, name):
    assert resolve(online, name) == [box.wifi_address]
    assert resolve(online, name, "ahostsv6") in ([], [f"::ffff:{box.wifi_address}"], [box.wifi_address])


def test_the_first_probe_brings_the_portal_and_after_its_button_the_phone_stays(box, online, phones):
    def probe(phone: WiFiPhone, system: str) -> tuple[int, str]:
        url, agent, *_ = PROBES[system]
        told = phone.curl(url, "--user-agent", agent, "--write-out", "\n%{http_code}")
        assert told.returncode == 0, told.stderr
        body, _, status = told.stdout.rpartition("\n")
        return int(status), body

    other = phones.new()
    other.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    other.lease()
    for system, (_, _, status, body) in PROBES.items():
        assert probe(online, system) != (status, body), f"{system} would take this for internet"
    # What a person then sees: a page with one button, which needs no script.
    page = online.curl(PROBES["iOS"][0], "--location").stdout
    forms = re.findall(r"<form\b[^>]*>", page)
    assert len(forms) == 1 and len(re.findall(r"<button\b|<input[^>]*type=\"?submit", page)) == 1
    assert "<script" not in page
    assert 'method="post"' in forms[0].lower()
    action = re.search(r'action="([^"]*)"', forms[0])
    target = action[1] if action else PROBES["iOS"][0]
    if target.startswith("/"):
        target = f"http://captive.apple.com{target}"
    pressed = online.curl(target, "--request", "POST", "--data", "", "--location", "--write-out", "\n%{http_code}")
    assert pressed.stdout.rpartition("\n")[2] == "200", pressed
    for system, (_, _, status, body) in PROBES.items():
        assert probe(online, system) == (status, body), system
    # For this phone alone, and for this room alone.
    assert probe(other, "Android") != (204, "")
    box.rotate()
    online.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
    online.lease()
    assert probe(online, "Android") != (204, "")


def test_the_portals_api_says_what_is_so(box, guest):
    """RFC 8908."""
    url = bytes.fromhex(guest.lease()["opt114"]).decode()
    told = guest.curl(url, "--insecure", "--include", "--header", "Accept: application/captive+json")
    assert "application/captive+json" in told.stdout.lower(), told
    answer = json.loads(told.stdout.replace("\r", "").partition("\n\n")[2])
    assert answer["captive"] is True and answer["user-portal-url"].startswith(("http://", "https://"))


def test_the_room_is_there(box, online):
    told = online.curl(f"http://{box.wifi_address}/api/room")
    assert told.returncode == 0 and json.loads(told.stdout), told
    link = box.status()["link"]
    assert box.wifi_address in link, "the code leads where phones on the Wi-Fi get to"


# Local only


@contextlib.contextmanager
def uplink(address: str = "192.0.2.2/24"):
    """A cable from the box to a machine on another network, which has the network's first address. Yields its namespace."""
    name = "uplink"
    interface = ipaddress.ip_interface(address)
    gateway = str(next(host for host in interface.network.hosts() if host != interface.ip))
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", "cable", "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "addr", "add", address, "dev", "cable")
        run("ip", "link", "set", "cable", "up")
        run("ip", "-n", name, "addr", "add", f"{gateway}/{interface.network.prefixlen}", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "route", "replace", "default", "via", gateway)
        yield name, gateway
    finally:
        run("ip", "netns", "del", name)
        run("ip", "link", "del", "cable", check=False)


def listening(port: int, namespace: str | None = None) -> Program:
    """A web server as something that listens, by IPv4 and IPv6."""
    return Program("python3", "-m", "http.server", str(port), "--bind", "::", namespace=namespace)


def own_addresses(interface: str) -> list[str]:
    """The machine's IPv6 addresses on an interface: those of all networks, then that of the link."""
    told = json.loads(run("ip", "-j", "-6", "addr", "show", "dev", interface))[0]["addr_info"]
    return [entry["local"] for entry in sorted(told, key=lambda entry: entry["scope"] == "link") if not entry.get("tentative")]


def test_nothing_is_forwarded_between_the_wifi_and_a_cable(air, phones):
    with uplink() as (elsewhere, gateway), ACCESS_POINT(air) as box, contextlib.ExitStack() as stack:
        # A machine that was set up as a router stays the owner's; the Wi-Fi must be kept apart all the same.
        for key in ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding", "net.ipv6.conf.all.forwarding"):
            run("sysctl", "-qw", f"{key}=1")
        phone = phones.new()
        phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
        phone.lease()
        # By IPv6 too, with all routes that either side could wish for.
        run("ip", "-6", "addr", "add", "2001:db8:2::2/64", "dev", "cable", "nodad")
        run("ip", "-n", elsewhere, "-6", "addr", "add", "2001:db8:2::1/64", "dev", "eth0", "nodad")
        run("ip", "-n", elsewhere, "-6", "route", "add", "default", "via", "2001:db8:2::2")
        *_, link = own_addresses(box.interface)
        wait_until(lambda: phone.addresses("inet6"), 20, "the phone has an IPv6 address")
        phone.run("ip", "-6", "route", "replace", "2001:db8:2::/64", "via", link, "dev", phone.radio)
        run("ip", "-n", elsewhere, "route", "add", f"{box.wifi_address}/24".replace(".1/", ".0/"), "via", "192.0.2.2")
        server = listening(8000, elsewhere)
        stack.callback(server.stop)
        own = listening(8000, phone.namespace)
        stack.callback(own.stop)
        with inside(elsewhere):
            # Until it listens curl fails, which is no failure of this test.
            wait_until(lambda: "200" in run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{gateway}:8000/",
                                            check=False), 10, "the server elsewhere is there")
        # It is there for the box, and not for the phone, whichever way.
        assert "200" in run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{gateway}:8000/")
        assert phone.ping(gateway) == 0
        assert phone.curl(f"http://{gateway}:8000/", "--max-time", "3").returncode != 0
        assert run("ip", "netns", "exec", elsewhere, "ping", "-c", "2", "-W", "1", phone.address, check=False).count("bytes from") == 0
        assert run("ip", "netns", "exec", elsewhere, "curl", "-s", "--max-time", "3", f"http://{phone.address}:8000/", check=False) == ""
        # The box's own address on that cable is none of a phone's business either.
        assert phone.ping("192.0.2.2") == 0
        assert "200" in run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://[2001:db8:2::1]:8000/")
        for address in ("2001:db8:2::1", "2001:db8:2::2"):
            assert phone.ping(address) == 0
        assert phone.curl("http://[2001:db8:2::1]:8000/", "--max-time", "3").returncode != 0
        own_address = phone.addresses("inet6")[0]
        assert phone.curl(f"http://[{own_address}]:8000/").returncode == 0, "it does listen"
        assert run("ip", "netns", "exec", elsewhere, "curl", "-s", "--max-time", "3", f"http://[{own_address}]:8000/", check=False) == ""
        # Even where its owner's own rules would let everything through.
        run("nft", "-f", "-", stdin=(
            "table inet owner {\n chain forward {\n type filter hook forward priority 0; policy accept;\n accept\n }\n}\n"))
        assert phone.ping(gateway) == 0


def test_no_moment_is_open_where_the_interface_is_renamed(air, phones):
    """The rules knew it by its name: from its renaming until the box had heard of it, phones reached all that listens on the
    machine, and what is beyond. A box that is stopped has not heard of it."""
    phone = phones.new()
    with uplink() as (elsewhere, gateway), ACCESS_POINT(air) as box, contextlib.ExitStack() as stack:
        run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        phone.join(WPASupplicant, box.ssid, box.passphrase, frequency=box.frequency)
        phone.lease()
        interface, address = box.interface, box.wifi_address
        run("ip", "-n", elsewhere, "route", "add", f"{address}/24".replace(".1/", ".0/"), "via", "192.0.2.2")
        for port, namespace in ((22, None), (8000, elsewhere), (8000, phone.namespace)):
            stack.callback(listening(port, namespace).stop)

        def is_shut() -> None:
            assert phone.curl(f"http://{address}:22/", "--max-time", "3").returncode in (7, 28)
            # Even where the interface's own settings let packets pass.
            run("sysctl", "-qw", "net.ipv4.conf.all.forwarding=1")
            assert phone.curl(f"http://{gateway}:8000/", "--max-time", "3").returncode in (7, 28)
            told = run("ip", "netns", "exec", elsewhere, "curl", "-s", "--max-time", "3", f"http://{phone.address}:8000/", check=False)
            assert told == ""

        wait_until(lambda: run("ss", "-ltnH").count(":22 "), 60, "it listens, once nobody has told it its own name")
        is_shut()
        run("kill", "-STOP", str(box.pid))
        try:
            run("ip", "link", "set", interface, "name", "radio7")
            assert phone.ping(address) == 3, "the air is as it was"
            is_shut()
            # A cable that gets the former name is no way out either.
            run("ip", "link", "set", "cable", "down")
            run("ip", "link", "set", "cable", "name", interface)
            run("ip", "link", "set", interface, "up")
            run("ip", "route", "replace", "default", "via", gateway)
            is_shut()
            run("ip", "link", "set", interface, "down")
            run("ip", "link", "set", interface, "name", "cable")
        finally:
            run("kill", "-CONT", str(box.pid))
        wait_until(lambda: (told := box.wifi())["interface"] == "radio7" and told["address"], 5, "the box follows",
                   detail=box.describe)
        is_shut()
        assert "another program" not in box.log(), "it is no change of the rules"
        assert run("sysctl", "-n", "net.ipv4.conf.radio7.forwarding").strip() == "0"


@contextlib.contextmanager
def counted_nft():
    """What the box has nft do from here on: yields a function that gives the arguments of each time."""
    log, wrapper = Path("/run/rig-nft"), Path("/usr/local/sbin/nft")
    log.write_text("")
    wrapper.write_text(f'#!/bin/sh\necho "$*" >>{log}\nexec /usr/sbin/nft "$@"\n')
    wrapper.chmod(0o755)
    try:
        yield lambda: log.read_text().splitlines()
    finally:
        wrapper.unlink()


def test_rules_that_are_flushed_are_back_at_once(box, online):
    """`systemctl restart nftables` does it: for half a minute phones reached everything that listens on the machine."""
    server = listening(22)
    try:
        wait_until(lambda: run("ss", "-ltnH").count(":22 "), 10, "it listens")
        for _ in range(3):
            run("/usr/sbin/nft", "flush", "ruleset")
            time.sleep(2)
            assert "kibitz-local" in run("/usr/sbin/nft", "list", "tables")
            assert online.curl(f"http://{box.wifi_address}:22/", "--max-time", "3").returncode in (7, 28)
        assert online.curl(f"http://{box.wifi_address}/api/room").returncode == 0
    finally:
        server.stop()


def test_what_other_programs_do_with_rules_of_their_own_costs_nothing(box, online):
    """A program that bans addresses all day long, and one that is at odds with the box."""
    with counted_nft() as calls:
        run("/usr/sbin/nft", "-f", "-", stdin="table inet owner {\n set banned { type ipv4_addr; }\n chain forward { }\n}\n")
        for number in range(40):
            run("/usr/sbin/nft", f"add element inet owner banned {{ 198.51.100.{number} }}; insert rule inet owner forward accept")
            time.sleep(0.1)
        run("/usr/sbin/nft", "delete", "table", "inet", "owner")
        time.sleep(2)
        assert len(calls()) <= 1, "only the look that is due twice a minute"
        before, began = len(calls()), time.monotonic()
        for _ in range(50):
            run("/usr/sbin/nft", "delete", "table", "inet", "kibitz-local", check=False)
            time.sleep(0.1)
        time.sleep(2)
        looks = [call for call in calls()[before:] if "list" in call]
        # A look finds that they are gone, and another reads what was set.
        seconds = time.monotonic() - began
        assert seconds / 2 <= len(looks) <= 2 * (2 * seconds + 2), looks
        assert "kibitz-local" in run("/usr/sbin/nft", "list", "tables")
        time.sleep(1)
        before = len(calls())
        time.sleep(20)
        assert len(calls()) - before <= 1, "it comes to rest"


def test_phones_reach_the_public_ports_and_neither_ssh_nor_the_metrics(box, online):
    with contextlib.ExitStack() as stack:
        for port in (22, 9100):
            stack.callback(listening(port).stop)
        wait_until(lambda: run("ss", "-ltnH").count(":22 ") and run("ss", "-ltnH").count(":9100 "), 10, "both listen")
        wide, link = own_addresses(box.interface)
        wait_until(lambda: online.addresses("inet6"), 20, "the phone has an IPv6 address")
        # The phone had lost its own address of the link once, and so got no answer from any port.
        for address in (wide, f"{link}%{online.radio}"):
            assert online.ping(address) == 3, "the box does answer by IPv6"
        for host in (box.wifi_address, f"[{wide}]", f"[{link}%25{online.radio}]"):
            for port in (22, 9100):
                assert online.curl(f"http://{host}:{port}/", "--max-time", "3").returncode in (7, 28), (host, port)
    assert online.curl(f"http://{box.wifi_address}/api/room").returncode == 0
    assert online.curl(f"https://{box.wifi_address}/api/room", "--insecure").returncode == 0
    status = online.curl(f"http://{box.wifi_address}/metrics", "--output", "/dev/null", "--write-out", "%{http_code}").stdout
    assert status in ("403", "404")
    assert "kibitz_" in box.fetch("/metrics").text, "they are there for the machine itself"
