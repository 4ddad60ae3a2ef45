"""The overlays compile and do on each kind of Raspberry Pi what the tables and the drawings say."""

import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
OVERLAYS = CHECKOUT / "overlays"
sys.path.insert(0, str(CHECKOUT / "Tests"))

from Rig import devicetree  # noqa: E402

SOURCES = sorted(path.stem for path in OVERLAYS.glob("*.dts"))
DRAWINGS = sorted(path.stem for path in OVERLAYS.glob("*.svg"))
README = (OVERLAYS / "README.md").read_text()

# The header as Raspberry Pi documents it: what no GPIO is, and the GPIO of the other pins, row by row.
HEADER = """
    3.3V 5V  2 5V  3 GND  4 14  GND 15  17 18  27 GND  22 23  3.3V 24  10 GND  9 25  11 8  GND 7
    0 1  5 GND  6 12  13 GND  19 16  26 20  GND 21
""".split()

# What the pins of the bus carry, by GPIO.
BUS = {10: "MOSI", 11: "SCLK", 8: "CS", 7: "CS"}
LINES = {"DC", "RESET", "BUSY", "BACKLIGHT", "POWER", "BUTTON", "LED"}


def pin(number):
    """What is at a pin of the header: a GPIO's number, or the name of a voltage."""
    there = HEADER[number - 1]
    return int(there) if there.isdigit() else re.sub(r"(?<=\d)V$", " V", there)


def run(*arguments):
    result = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert not result.stderr, result.stderr


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    out = tmp_path_factory.mktemp("overlays")
    run(CHECKOUT / "scripts/image", "overlays", out)
    assert {path.name for path in out.iterdir()} == {f"{name}.dtbo" for name in SOURCES}
    return out


@pytest.fixture(scope="session")
def bases(tmp_path_factory):
    out = tmp_path_factory.mktemp("bases")
    trees = {}
    for source in pathlib.Path(__file__).parent.glob("*.dts"):
        trees[source.stem] = out / f"{source.stem}.dtb"
        run("dtc", "-@", "-I", "dts", "-O", "dtb", "-o", trees[source.stem], source)
    assert sorted(trees) == ["bcm2711", "bcm2712"]
    return trees


class Applied:
    """A Raspberry Pi's tree with an overlay applied."""

    def __init__(self, base, overlay, out):
        run("fdtoverlay", "-i", base, "-o", out, overlay)
        self.before, self.root = devicetree.read(base), devicetree.read(out)
        symbols = {name: self.root["__symbols__"].strings(name)[0] for name in self.root["__symbols__"].properties}
        self.symbols = symbols
        self.gpio, self.spi = self.root[symbols["gpio"]], self.root[symbols["spi0"]]
        self.names = self.gpio.strings("gpio-line-names")
        self.handles = {node.cells("phandle")[0]: node for node in self.root if "phandle" in node.properties}

    def lines(self):
        """The offset of each of the box's lines."""
        return {name: offset for offset, name in enumerate(self.names) if name.startswith("KIBITZ_")}

    def pinctrl(self, node):
        """What a node asks of the pins: function and pull of each, in Raspberry Pi's numbers (None: not said)."""
        pins = {}
        for handle in node.cells("pinctrl-0"):
            group = self.handles[handle]
            if "brcm,pins" not in group.properties:
                names = group.strings("pins")
                pins |= {int(name.removeprefix("gpio")): (group.strings("function")[0], None) for name in names}
                continue
            numbers = group.cells("brcm,pins")
            functions = group.cells("brcm,function")
            pulls = group.cells("brcm,pull") if "brcm,pull" in group.properties else [None]
            assert len(functions) in (1, len(numbers)) and len(pulls) in (1, len(numbers))
            for index, number in enumerate(numbers):
                pins[number] = (functions[index % len(functions)], pulls[index % len(pulls)])
        return pins


@pytest.fixture(params=["bcm2711", "bcm2712"])
def board(request):
    return request.param


@pytest.fixture
def applied(request, board, compiled, bases, tmp_path):
    return Applied(bases[board], compiled / f"{request.param}.dtbo", tmp_path / "applied.dtb")


every = pytest.mark.parametrize("applied, name", [(name, name) for name in SOURCES], indirect=["applied"])


@every
def test_names_of_the_header_stay_but_for_the_boxs_own(applied, name):
    assert len(applied.names) == 28
    for offset, line in enumerate(applied.names):
        if line.startswith("KIBITZ_"):
            assert line.removeprefix("KIBITZ_") in LINES
        else:
            assert line == {0: "ID_SDA", 1: "ID_SCL"}.get(offset, f"GPIO{offset}")
    assert len(set(applied.names)) == 28
    assert "KIBITZ_BUTTON" in applied.names
    assert ("KIBITZ_DC" in applied.names) == (name != "kibitz-button")


@every
def test_button_is_an_input_with_a_pull_up(applied, name):
    assert applied.pinctrl(applied.gpio)[applied.lines()["KIBITZ_BUTTON"]] == (0, 2)
    # Nothing but the button and, on the Display HAT Mini, its light is touched.
    others = set(applied.pinctrl(applied.gpio)) - {applied.lines()["KIBITZ_BUTTON"]}
    assert others == ({17, 22, 27} if name == "kibitz-display-hat-mini" else set())


@every
def test_bus_is_on_with_spidev_at_chip_select_0(applied, name):
    first, second = applied.spi["spidev@0"], applied.spi["spidev@1"]
    if name == "kibitz-button":
        assert applied.spi.strings("status") == ["disabled"]
        return
    assert applied.spi.strings("status") == ["okay"]
    assert first.strings("compatible") == ["spidev"] and first.cells("reg") == [0]
    assert first.properties.get("status") == b"okay\0"
    selects = applied.spi.cells("cs-gpios")
    own = applied.symbols["gpio"]
    assert all(applied.handles[handle] is applied.root[own] for handle in selects[::3])
    assert all(flags == 1 for flags in selects[2::3])
    mini = name == "kibitz-display-hat-mini"
    assert selects[1::3] == ([7] if mini else [8, 7])
    # A chip select that is not there would be an error of the kernel's.
    assert (second.properties.get("status") == b"disabled\0") == mini


@every
def test_no_pin_has_two_uses(applied, name):
    bus = set(applied.pinctrl(applied.spi)) if name != "kibitz-button" else set()
    hogs = {node.cells("gpios")[0]: node for node in applied.gpio.children.values() if "gpio-hog" in node.properties}
    lines = set(applied.lines().values())
    assert not bus & lines
    assert {10, 11} <= bus or not bus
    # On e-Paper boards with a switch for the power it is on.
    assert set(hogs) == ({applied.lines()["KIBITZ_POWER"]} if name == "kibitz-epaper" else set())
    for node in hogs.values():
        assert "output-high" in node.properties and node.cells("gpios")[1] == 0


def test_display_hat_mini_leaves_gpio9_to_the_panel(compiled, bases, tmp_path):
    for board, base in bases.items():
        applied = Applied(base, compiled / "kibitz-display-hat-mini.dtbo", tmp_path / f"{board}.dtb")
        # Raspberry Pi's number 4 is SPI0 at these pins, on the RP1 as well (legacy_fsel_map of pinctrl-rp1.c).
        assert applied.pinctrl(applied.spi) == {10: (4, 0), 11: (4, 0), 7: (1, 0)}


@pytest.mark.parametrize("name", SOURCES)
def test_parameter_sets_the_buttons_pull(compiled, name):
    root = devicetree.read(compiled / f"{name}.dtbo")
    value = root["__overrides__"].properties["button_pull"]
    handle, target = int.from_bytes(value[:4], "big"), value[4:].rstrip(b"\0").decode()
    named = [node for node in root if node.properties.get("phandle") == handle.to_bytes(4, "big")]
    assert [node.name for node in named] == ["kibitz-button"]
    assert "brcm,pull" in named[0].properties
    # The firmware's form of a table: property:offset{word=value,…}.
    assert re.fullmatch(r"brcm,pull:0\{off=0,down=1,up=2\}", target)
    # The firmware needs to know that this number is a phandle of the overlay's own.
    assert root["__local_fixups__/__overrides__"].cells("button_pull") == [0]


def table(drawing):
    """The rows of a drawing's table in the README: (part, pin, place, line)."""
    block = re.search(rf"<!-- table {drawing} -->\n(.*?)<!-- end -->", README, re.DOTALL)[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.strip().splitlines()]
    return [(row[0], int(row[1]), row[2], row[3].strip("`")) for row in rows[2:]]


def overlay_of(drawing):
    """The overlay that a drawing names."""
    words = ElementTree.parse(OVERLAYS / f"{drawing}.svg").getroot().itertext()
    (line,) = [text for text in words if text.startswith("dtoverlay=")]
    return line.removeprefix("dtoverlay=")


def names_in_source(name):
    """The box's lines in an overlay's source."""
    source = (OVERLAYS / f"{name}.dts").read_text()
    names = re.findall(r'"([^"]*)"', re.search(r"gpio-line-names =(.*?);", source, re.DOTALL)[1])
    return {line: offset for offset, line in enumerate(names) if line.startswith("KIBITZ_")}


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_table_agrees_with_header_and_overlay(drawing):
    rows, named = table(drawing), {}
    assert rows
    assert len({number for _, number, _, _ in rows}) == len(rows), "a pin is used twice"
    for part, number, place, line in rows:
        there = pin(number)
        assert place == (f"GPIO{there}" if isinstance(there, int) else there), part
        if line:
            named[line] = there
        else:
            assert there not in names_in_source(overlay_of(drawing)).values()
            assert not isinstance(there, int) or there in BUS
    expected = names_in_source(overlay_of(drawing))
    if drawing == "kibitz-tft-ili9341":
        # Its light takes more than a GPIO gives.
        assert "KIBITZ_BACKLIGHT" not in named
        del expected["KIBITZ_BACKLIGHT"]
    assert named == expected
    if drawing != "kibitz-button":
        bus = sorted(BUS[pin(number)] for _, number, _, line in rows if not line and isinstance(pin(number), int))
        assert bus == ["CS", "MOSI", "SCLK"]
        assert "GND" in [place for _, _, place, _ in rows]


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_drawing_agrees_with_table(drawing):
    drawn = {
        (element.get("data-to"), int(element.get("data-pin")), element.get("data-gpio"), element.get("data-line"))
        for element in ElementTree.parse(OVERLAYS / f"{drawing}.svg").iter() if element.get("data-pin")
    }
    listed = {
        (part, number, place.removeprefix("GPIO") if place.startswith("GPIO") else None, line or None)
        for part, number, place, line in table(drawing)
    }
    assert drawn == listed


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_wire_in_the_drawing_begins_at_its_pin(drawing):
    root = ElementTree.parse(OVERLAYS / f"{drawing}.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    # The numbers on the header say where each pin is drawn.
    places = {
        int(text.text): (float(text.get("x")), float(text.get("y")))
        for text in root.iter(f"{space}text") if text.text.isdigit()
    }
    assert sorted(places) == list(range(1, 41))
    wires = [path for path in root.iter(f"{space}path") if path.get("data-pin")]
    for path in wires:
        x, y = map(float, re.match(r"M([\d.]+) ([\d.]+)", path.get("d")).groups())
        at = places[int(path.get("data-pin"))]
        assert abs(x - at[0]) < 1 and abs(y - at[1]) < 5, path.get("data-to")
    assert wires or "plugged" in "".join(root.itertext())


def test_every_overlay_is_drawn_and_every_drawing_shown():
    assert {overlay_of(drawing) for drawing in DRAWINGS} == set(SOURCES)
    assert sorted(re.findall(r"\]\(([\w-]+)\.svg\)", README)) == DRAWINGS
    assert set(re.findall(r"`dtoverlay=(kibitz-[\w-]+)`", README)) == set(SOURCES)
    # Links within the page lead somewhere.
    titles = re.findall(r"^## (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= anchors


def test_tables_and_drawings_are_of_one_table():
    run(CHECKOUT / "scripts/lib/wiring", "--check")
