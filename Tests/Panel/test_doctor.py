"""`kibitz-local doctor` on a machine with a panel and a button: what is missing, and the line of config.txt that brings it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from Rig.box import Box, command
from Rig.gpio import GPIO
from Rig.spi import SPI
from Rig.waiting import wait_until

BOOT = Path("/boot/firmware")

TFT, PAPER = "st7789-240x320", "ssd1680-250x122"


@pytest.fixture
def boot():
    """The firmware's partition of a Raspberry Pi, with a config.txt that says nothing of a panel."""
    (BOOT / "overlays").mkdir(parents=True, exist_ok=True)
    config = BOOT / "config.txt"
    config.write_text("# For more options see http://rptl.io/configtxt\ndtparam=audio=on\n[all]\n")
    yield config
    shutil.rmtree(BOOT)


def doctor(tmp_path, model: str, *settings: str, prefix: list[str] | None = None) -> list[tuple[str, str, str]]:
    """What a doctor finds of panel and button: (verdict, subject and detail, mend)."""
    arguments = [word for setting in (f"panel={model}", *settings) for word in ("--set", setting)]
    return findings(command("doctor", "--state", str(tmp_path / "state"), *arguments, prefix=prefix))


def findings(result) -> list[tuple[str, str, str]]:
    found = []
    for line in result.stdout.splitlines():
        if line.startswith("         "):
            found[-1] = (*found[-1][:2], line.strip())
        else:
            found.append((line[:5].strip(), line[5:].strip(), ""))
    assert found, result.stderr
    return [entry for entry in found if entry[1].startswith(("panel: ", "button: "))]


def wrong(found) -> list[tuple[str, str]]:
    return [(detail, mend) for verdict, detail, mend in found if verdict != "ok"]


@contextlib.contextmanager
def holding(gpio: GPIO, name: str):
    """Another program uses a line."""
    # struct gpiohandle_request of linux/gpio.h: an input.
    offsets = [gpio.names.index(name)] + [0] * 63
    request = struct.pack("<64II64s32sIi", *offsets, 1, b"", b"thermometer", 1, 0)
    with open(f"/dev/{gpio.chip}", "rb") as chip:
        answer = fcntl.ioctl(chip, 0xC16CB403, request)  # GPIO_GET_LINEHANDLE_IOCTL
    handle = struct.unpack("<i", answer[-4:])[0]
    try:
        yield
    finally:
        os.close(handle)


@pytest.mark.parametrize("model", [TFT, PAPER])
def test_all_is_well(bus, tmp_path, model):
    assert doctor(tmp_path, model) == [
        ("ok", "panel: /dev/spidev0.0 is there", ""), ("ok", f"panel: {model}; its lines are there", ""),
        ("ok", "button: its line is there", "")]


def test_a_button_that_could_not_shut_down(bus, tmp_path):
    """It was first told when somebody held the button."""
    def button(command: str):
        return doctor(tmp_path, TFT, f"button.shutdown={command}")[-1]

    assert button("/bin/sh -c true") == button("sh -c true") == ("ok", "button: its line is there", "")
    for name in ("/bin/poewroff", "poewroff"):
        assert button(f"{name} now") == (
            "note", f"button: held, it can't shut the machine down: there is no program {name}", "correct button.shutdown")


def test_no_overlay_names_the_line_that_is_missing(boot, tmp_path):
    assert wrong(doctor(tmp_path, TFT)) == [
        ("panel: no line is named KIBITZ_DC: the overlay is not loaded",
         f"add the line dtoverlay=kibitz-tft to {boot}, and restart the machine"),
        ("panel: /dev/spidev0.0: No such file or directory",
         f"add the line dtparam=spi=on to {boot}, and restart the machine"),
    ]
    assert wrong(doctor(tmp_path, PAPER))[0] == (
        "panel: no lines are named KIBITZ_DC, KIBITZ_RESET, KIBITZ_BUSY: the overlay is not loaded",
        "add the line dtoverlay=kibitz-epaper (or, for another board with it, dtoverlay=kibitz-eink-bonnet) to "
        f"{boot}, and restart the machine")
    # On the machine before: no /boot/firmware.
    former = Path("/boot/config.txt")
    boot.rename(former)
    try:
        assert f"to {former}," in wrong(doctor(tmp_path, TFT))[0][1]
    finally:
        former.unlink()
    # And where there is no config.txt at all.
    assert wrong(doctor(tmp_path, TFT))[0][1] == "load the overlay kibitz-tft; overlays/README.md shows the wiring"


def test_another_panels_overlay(boot, tmp_path):
    with boot.open("a") as file:
        file.write("dtoverlay=kibitz-eink-bonnet\n")
    assert wrong(doctor(tmp_path, "display-hat-mini"))[0][1] == (
        f"change dtoverlay=kibitz-eink-bonnet in {boot} to dtoverlay=kibitz-display-hat-mini, and restart the machine")


def test_an_overlay_that_was_not_copied_and_one_that_waits_for_the_restart(boot, tmp_path):
    with boot.open("a") as file:
        file.write("dtoverlay=kibitz-tft,button_pull=off\n")
    compiled = BOOT / "overlays/kibitz-tft.dtbo"
    mend = wrong(doctor(tmp_path, TFT))[0][1]
    assert f"{compiled} is missing" in mend and "scripts/image overlays" in mend
    compiled.write_bytes(b"")
    assert wrong(doctor(tmp_path, TFT))[0][1] == f"{boot} has dtoverlay=kibitz-tft: restart the machine"


def test_lines_but_no_bus(gpio, boot, tmp_path):
    (entry,) = wrong(doctor(tmp_path, TFT))
    assert entry == ("panel: /dev/spidev0.0: No such file or directory",
                     f"add the line dtparam=spi=on to {boot}, and restart the machine")
    assert f"add the line dtoverlay=spi1-1cs to {boot}" in wrong(doctor(tmp_path, TFT, "panel.spi=/dev/spidev1.0"))[0][1]
    with boot.open("a") as file:
        file.write("dtparam=spi=on\n")
    assert "modprobe spidev" in wrong(doctor(tmp_path, TFT))[0][1]


def test_a_bus_but_not_all_lines(tmp_path):
    with GPIO(("KIBITZ_DC", "KIBITZ_RESET", "KIBITZ_BUTTON")) as gpio, SPI(gpio):
        ((detail, mend),) = wrong(doctor(tmp_path, PAPER))
        assert detail == "panel: no line is named KIBITZ_BUSY: the overlay is not loaded" and "kibitz-epaper" in mend
        # A TFT needs neither BUSY nor a light that can be switched.
        assert wrong(doctor(tmp_path, TFT)) == []


def test_a_line_that_another_program_uses(gpio, bus, tmp_path):
    with holding(gpio, "KIBITZ_DC"):
        ((detail, _),) = wrong(doctor(tmp_path, TFT))
        assert detail == "panel: the line KIBITZ_DC is in use by thermometer"
    with holding(gpio, "KIBITZ_BUTTON"):
        ((detail, _),) = wrong(doctor(tmp_path, TFT))
        assert detail == "button: the line KIBITZ_BUTTON is in use by thermometer"
    assert wrong(doctor(tmp_path, TFT)) == []


def test_without_permission(bus, tmp_path):
    for folder in (tmp_path, *tmp_path.parents):
        folder.chmod(folder.stat().st_mode | 0o755)
    tmp_path.chmod(0o777)
    found = wrong(doctor(tmp_path, TFT, prefix=["setpriv", "--reuid=65534", "--clear-groups"]))
    told = {detail.partition(":")[0]: mend for detail, mend in found}
    assert "group gpio" in told["panel"] or "group spi" in told["panel"]
    assert any("/dev/spidev0.0: Permission denied" in detail and "group spi" in mend for detail, mend in found)
    assert any("KIBITZ_DC" in detail and "group gpio" in mend for detail, mend in found)
    assert "group gpio" in told["button"]


def test_a_button_that_is_wanted_and_one_that_is_not(boot, tmp_path):
    def button(*settings: str):
        return [entry for entry in doctor(tmp_path, "none", *settings) if entry[1].startswith("button")]

    assert button() == [("ok", "button: none: no line is named KIBITZ_BUTTON", "")]
    assert button("button=false") == [("ok", "button: none is wanted (button.enabled)", "")]
    ((verdict, detail, mend),) = button("button=true")
    assert verdict != "ok" and "KIBITZ_BUTTON" in detail
    assert mend == f"add the line dtoverlay=kibitz-button to {boot}, and restart the machine"
    # A panel's overlay has the button as well.
    assert "dtoverlay=kibitz-tft35" in wrong(doctor(tmp_path, "waveshare-3.5a", "button=true"))[-1][1]


def test_a_screen_of_the_kernels(tmp_path):
    (entry,) = wrong(doctor(tmp_path, "framebuffer", "panel.path=/dev/fb7"))
    assert entry[0] == "panel: /dev/fb7: there is no such screen" and "panel.path" in entry[1]
    subprocess.run(["modprobe", "vkms"], check=True)
    try:
        wait_until(lambda: Path("/dev/dri/card0").exists(), 5, "there is a screen")
        assert wrong(doctor(tmp_path, "framebuffer")) == []
        # The card alone was called a screen, also where nothing was plugged into it.
        unplugged = [path for path in Path("/sys/class/drm").glob("card0-*/status")]
        assert unplugged, "the card has no place for a screen"
        for path in unplugged:
            path.write_text("off")
        Path("/dev/fb0").unlink(missing_ok=True)
        (entry,) = wrong(doctor(tmp_path, "framebuffer"))
        assert entry[0] == "panel: /dev/fb0: there is no such screen" and "connect the screen" in entry[1]
    finally:
        subprocess.run(["rmmod", "vkms"], check=False)


def test_a_box_that_runs_has_its_lines_itself(bus):
    with Box({"panel": TFT}) as box:
        wait_until(lambda: "kibitz-local" in Path("/sys/kernel/debug/gpio").read_text(), 10, "the box has its lines", detail=box.describe)
        found = findings(box.command("doctor", "--config", str(box.config_file)))
        assert wrong(found) == [], found
        assert ("ok", "button: its line is there", "") in found
