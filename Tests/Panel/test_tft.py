"""TFTs: what the kernel's spidev is given becomes the picture that the box says it shows, on a simulated controller."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from pathlib import Path

import pytest
from PIL import ImageChops
from Rig.box import Box, executable
from Rig.glass import Glass, same, shown
from Rig.gpio import GPIO, LINES
from Rig.network import run
from Rig.spi import SPI
from Rig.waiting import wait_until

MODELS = {
    # The highest rate of the bus in hertz, its mode, and octets of a command.
    "st7789-240x240": (62_500_000, 0, 1),
    "st7789-240x240-no-cs": (62_500_000, 3, 1),
    "st7789-240x320": (62_500_000, 0, 1),
    "adafruit-1.3-bonnet": (62_500_000, 0, 1),
    "display-hat-mini": (62_500_000, 0, 1),
    "ili9341-240x320": (10_000_000, 0, 1),
    "ili9486-320x480": (15_000_000, 0, 1),
    "waveshare-3.5a": (20_000_000, 0, 2),
}


def agree(box: Box, glass: Glass) -> bool:
    """Whether what is to be seen is what the box says it shows."""
    return same(shown(box), glass.picture())


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


@pytest.fixture
def glass(gpio, bus, model):
    with Glass(model, gpio, bus, hertz=MODELS[model][0]) as made:
        yield made


@pytest.fixture
def box(glass, model, make_box):
    with make_box({"panel": model}) as running:
        wait_until(glass.settled, 10, "a picture is there", detail=running.describe)
        yield running


def test_the_picture_on_the_glass_is_the_box_s(box, glass, bus, gpio, model):
    hertz, mode, width = MODELS[model]
    wait_until(lambda: agree(box, glass), 5, "the pictures are the same", detail=box.describe)
    assert glass.violations() == ""
    assert box.link in glass.codes()
    assert gpio["KIBITZ_BACKLIGHT"].value == 1
    assert box.status()["panel"]["fault"] is None
    assert max(len(transfer.octets) for transfer in glass.transfers) <= bus.limit
    assert all(transfer.hertz <= hertz and transfer.mode & 3 == mode for transfer in glass.transfers)
    # D/C told commands from data: each low transfer is one command.
    assert all(len(transfer.octets) == width for transfer in glass.transfers if not transfer.data)


def test_a_press_brings_the_new_code_and_only_rows_that_changed(box, glass, gpio):
    wait_until(lambda: agree(box, glass), 5, "the pictures are the same", detail=box.describe)
    before, link = glass.picture(), box.link
    sent = len(glass.transfers)
    gpio.button.press(0.1)
    let_go = time.monotonic()
    wait_until(lambda: box.link != link, 2, "the link is another", every=0.02, detail=box.describe)
    wait_until(lambda: box.link in glass.codes(), 5, "the new code is to be seen", detail=box.describe)
    wait_until(lambda: glass.settled() and agree(box, glass), 5, "the new picture is there", detail=box.describe)
    changed = ImageChops.difference(before, glass.picture()).getbbox()
    assert changed is not None
    assert glass.violations() == ""
    # On this clock only what waits on purpose takes time; 25 ms are the button's.
    assert glass.transfers[-1].time - let_go < 0.3
    whole = before.width * before.height * 2
    frames = sum(len(transfer.octets) for transfer in glass.transfers[sent:]) / whole
    assert frames < 4, "rows that did not change were sent"


@pytest.mark.parametrize("model", ["ili9341-240x320", "ili9486-320x480", "waveshare-3.5a"])
def test_on_a_slow_bus_too_the_new_codes_are_there_in_time(gpio, bus, model, make_box):
    """They had to wait for the picture that announces them: a bus of 15 MHz takes a quarter of a second for one."""
    with Glass(model, gpio, bus, hertz=MODELS[model][0], takes_time=True) as glass, make_box({"panel": model}) as box:
        wait_until(lambda: glass.settled() and box.link in glass.codes(), 10, "a picture is there", detail=box.describe)
        sent, link = len(glass.transfers), box.link
        gpio.button.press(0.1)
        let_go = time.monotonic()
        wait_until(lambda: box.link != link, 2, "the link is another", detail=box.describe)
        wait_until(lambda: glass.settled() and box.link in glass.codes(), 5, "the new code is to be seen", detail=box.describe)
        last = glass.transfers[-1]
        took = last.time + 8 * len(last.octets) / last.hertz - let_go
        busy = sum(8 * len(transfer.octets) / transfer.hertz for transfer in glass.transfers[sent:])
        print(f"{model}: {took * 1000:.0f} ms, of which the bus took {busy * 1000:.0f}")
        assert took < 0.3
        assert glass.violations() == ""


def test_a_bus_that_fails_is_told_and_the_room_goes_on(box, glass, bus, gpio):
    bus.fail()
    gpio.button.press(0.1)
    wait_until(lambda: box.status()["panel"]["fault"] == "bus", 20, "status tells it", detail=box.describe)
    assert box.fetch("/api/room").status == 200
    bus.fail(False)
    wait_until(lambda: box.status()["panel"]["fault"] is None, 120, "it works again", detail=box.describe)
    wait_until(lambda: glass.settled() and agree(box, glass), 10, "the picture is right again", detail=box.describe)


@pytest.mark.parametrize("model", ["st7789-240x240"], indirect=True)
def test_an_address_that_changes_is_to_be_seen_at_once(glass, model, make_box):
    """The code on the panel leads to the box: with an address that is gone it leads nowhere."""
    later = "10.20.0.9"
    with make_box({"addresses": None, "panel": model}) as box:
        wait_until(lambda: "10.20.0.1" in box.link and box.link in glass.codes(), 10, "the code is there", detail=box.describe)
        former = box.link
        run("ip", "address", "del", "10.20.0.1/24", "dev", "lan0")
        run("ip", "address", "add", f"{later}/24", "dev", "lan0")
        try:
            wait_until(lambda: later in box.link, 10, "the link is another", detail=box.describe)
            changed = time.monotonic()
            wait_until(lambda: box.link in glass.codes(), 5, "it is to be seen", every=0.1, detail=box.describe)
            assert time.monotonic() - changed < 1 and former not in glass.codes()
            wait_until(lambda: glass.settled() and agree(box, glass), 5, "the pictures are the same", detail=box.describe)
            assert glass.violations() == ""
        finally:
            run("ip", "address", "del", f"{later}/24", "dev", "lan0")
            run("ip", "address", "add", "10.20.0.1/24", "dev", "lan0")


def test_the_largest_panel_takes_two_megabytes(gpio, bus, make_box):
    """Of memory, with all that is loaded for it: its letters, its pictures, and the program that draws them, which is larger
    in a debug build."""
    data, all_of_it = [], []
    for model in ("none", "ili9486-320x480"):
        with make_box({"panel": model}) as box:
            time.sleep(2)
            for _ in range(6):
                box.rotate()
                time.sleep(1)
            sizes = Path(f"/proc/{box.pid}/smaps_rollup").read_text()
            for kind, found in (("Pss_Anon", data), ("Pss", all_of_it)):
                found.append(int(re.search(rf"^{kind}:\s+(\d+) kB", sizes, re.M)[1]) / 1024)
    print(f"{all_of_it[1] - all_of_it[0]:.2f} MB, of which {data[1] - data[0]:.2f} are data")
    assert data[1] - data[0] < 1.5 and all_of_it[1] - all_of_it[0] < 3


@pytest.mark.parametrize("model", ["st7789-240x240"], indirect=True)
def test_at_the_end_it_is_dark(box, glass, gpio):
    assert box.terminate() == 0
    wait_until(glass.settled, 5, "nothing more is sent")
    assert glass.violations() == ""
    assert glass.picture().getbbox() is None, "something is still to be seen"


@pytest.mark.parametrize("model", ["st7789-240x320"], indirect=True)
def test_why_a_box_did_not_start_is_to_be_read(glass, model, make_box):
    """The panel was dark again before anybody could."""
    with make_box({"panel": None, "panel.model": model}) as box, socket.create_server(("0.0.0.0", 0)) as taken:
        box.terminate()
        wait_until(lambda: glass.picture().getbbox() is None, 5, "it is dark")
        box.settings["http.port"] = taken.getsockname()[1]
        box.launch()
        wait_until(lambda: glass.settled() and glass.picture().getbbox(), 5, "something is to be seen", detail=box.log)
        first = glass.picture()
        time.sleep(8)
        assert same(first, glass.picture()) and glass.codes() == []
        assert box.process.wait(5) != 0, box.log()
        box.process = None
        wait_until(lambda: glass.picture().getbbox() is None, 5, "it is dark")
        assert glass.violations() == ""


@pytest.mark.parametrize("library", ["libfreetype.so.6", "libfribidi.so.0", "libqrencode.so.4"])
@pytest.mark.parametrize("model", ["st7789-240x320"], indirect=True)
def test_a_library_that_is_missing_is_named(glass, model, make_box, library):
    """They are loaded when they are needed: without one there were no letters, or no codes, and nobody said why."""
    needed = subprocess.run(["ldd", str(executable())], capture_output=True, text=True, check=True).stdout
    (path,) = Path("/usr/lib").glob(f"*/{library}")
    path.rename(hidden := path.with_name("hidden"))
    try:
        if library in needed:
            # A debug build does not come as far: its loader says so.
            started = subprocess.run([str(executable()), "--version"], capture_output=True, text=True)
            assert started.returncode == 127 and library in started.stderr
            return
        with make_box({"panel": model}) as box:
            wait_until(lambda: box.status()["panel"]["fault"] == "font", 5, "status tells it", detail=box.describe)
            (trouble,) = [line for line in box.status()["trouble"] if library in line]
            assert "install" in trouble and box.fetch("/api/room").status == 200
            failed = box.command("qr")
            assert failed.returncode != 0 and library in failed.stderr
            hidden.rename(path)
            wait_until(lambda: box.link in glass.codes(), 70, "its codes are to be seen", detail=box.describe)
            assert box.status()["panel"]["fault"] is None
    finally:
        if hidden.exists():
            hidden.rename(path)


def test_without_its_lines_it_is_told_and_found_later(make_box):
    with GPIO(tuple(name for name in LINES if name != "KIBITZ_DC")) as gpio, SPI(gpio):
        with make_box({"panel": "st7789-240x240"}) as box:
            wait_until(lambda: box.status()["panel"]["fault"] == "missing", 5, "status tells it", detail=box.describe)
            assert "KIBITZ_DC" in box.log()
            assert box.fetch("/api/room").status == 200


def test_without_a_bus_it_is_told_what_to_do(gpio, make_box):
    with make_box({"panel": "st7789-240x240"}) as box:
        wait_until(lambda: box.status()["panel"]["fault"] == "missing", 5, "status tells it", detail=box.describe)
        assert "dtparam=spi=on" in box.log()
        assert box.fetch("/api/room").status == 200
        with SPI(gpio) as bus, Glass("st7789-240x240", gpio, bus, hertz=MODELS["st7789-240x240"][0]) as glass:
            wait_until(glass.settled, 60, "the panel is found", detail=box.describe)
            wait_until(lambda: agree(box, glass), 5, "the pictures are the same", detail=box.describe)
            box.terminate()
