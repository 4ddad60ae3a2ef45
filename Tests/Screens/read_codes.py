"""Other people's readers of QR codes read what the panel shows: every screen with a code, at every size, in every language.

Each picture is read as it is, and as a phone may see it: larger and smaller, out of focus, held askew, in bad light.
What is read has to be what the code stands for, letter by letter.

    kibitz-screens FOLDER && /usr/bin/python3 Tests/Screens/read_codes.py FOLDER
"""

import ctypes
import ctypes.util
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import zxingcpp
from PIL import Image, ImageFilter

TABLE = 96  # The grey around the panel.


class ZBar:
    """libzbar by its C interface: https://zbar.sourceforge.net/api/zbar_8h.html"""

    ALL, QR = 0, 64
    ENABLE, BINARY = 0, 4

    def __init__(self):
        self.lib = ctypes.CDLL(ctypes.util.find_library("zbar") or "libzbar.so.0")
        for name in ("image_scanner_create", "image_create", "image_first_symbol", "symbol_next", "symbol_get_data"):
            getattr(self.lib, "zbar_" + name).restype = ctypes.c_void_p
        self.lib.zbar_symbol_get_data_length.restype = ctypes.c_uint

    def read(self, image):
        # One for each picture: a scanner keeps state, so that what is read could hang on the pictures before. One picture was
        # once not read in a run with one scanner for all, and always was read alone.
        scanner = ctypes.c_void_p(self.lib.zbar_image_scanner_create())
        # The bytes themselves: it would guess at a language, and takes a few letters of UTF-8 for Japanese.
        for symbology, setting, value in ((self.ALL, self.ENABLE, 0), (self.QR, self.ENABLE, 1), (self.QR, self.BINARY, 1)):
            assert self.lib.zbar_image_scanner_set_config(scanner, symbology, setting, value) == 0
        data = image.tobytes()
        picture = ctypes.c_void_p(self.lib.zbar_image_create())
        self.lib.zbar_image_set_format(picture, ctypes.c_ulong(int.from_bytes(b"Y800", "little")))
        self.lib.zbar_image_set_size(picture, *image.size)
        self.lib.zbar_image_set_data(picture, data, ctypes.c_ulong(len(data)), None)
        self.lib.zbar_scan_image(scanner, picture)
        texts = set()
        symbol = self.lib.zbar_image_first_symbol(picture)
        while symbol:
            symbol = ctypes.c_void_p(symbol)
            length = self.lib.zbar_symbol_get_data_length(symbol)
            texts.add(ctypes.string_at(self.lib.zbar_symbol_get_data(symbol), length).decode())
            symbol = self.lib.zbar_symbol_next(symbol)
        self.lib.zbar_image_destroy(picture)
        self.lib.zbar_image_scanner_destroy(scanner)
        return texts


def zxing(image):
    return zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)


def scaled(image, factor):
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC)


def turned(image, degrees):
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=TABLE)


def seen(image, module, all_of_them):
    """What a camera makes of a panel on a table, each with a name. It has at least as many pixels as the panel; the least
    that a reader can do with is two pixels a module."""
    border = max(image.size) // 8
    framed = Image.new("L", (image.width + 2 * border, image.height + 2 * border), TABLE)
    framed.paste(image, (border, border))
    double = scaled(framed, 2)
    yield "as it is", framed
    yield "half again as large", scaled(framed, 1.5)
    yield "out of focus", double.filter(ImageFilter.GaussianBlur(0.6 * module))
    yield "turned", turned(double, 10)
    if all_of_them:
        yield "turned back, out of focus", turned(double, -10).filter(ImageFilter.GaussianBlur(0.4 * module))
        yield "three times as large", scaled(framed, 3)
        yield "pale", double.point(lambda value: 90 + value * 80 // 255)
        yield "upside down", double.rotate(180)
        if module >= 3:
            yield "at 0.7", scaled(framed, 0.7)
        if module >= 4:
            yield "at 0.5", scaled(framed, 0.5)


def module_of(image, position):
    """Pixels of a module, by the finder pattern at a code's left top: 7 of them are dark."""
    x, y = position.top_left.x + 1, position.top_left.y + 1
    end = x
    while image.getpixel((end, y)) < 128:
        end += 1
    while image.getpixel((x - 1, y)) < 128:
        x -= 1
    return (end - x) // 7


reader = None


def check(line):
    """All that could not be read from one picture, and the least module of it."""
    global reader
    reader = reader or ZBar()
    path, *payloads = line
    image = Image.open(path).convert("L")
    codes = zxing(image)
    if len(codes) != len(payloads):
        return [(Path(path).name, "alone", "zxing", [code.text for code in codes])], 0
    module = min(module_of(image, code.position) for code in codes)
    failures = []
    # A third colour and a language change little: those are read in fewer ways.
    plain = not any(word in path for word in ("-red", "-yellow")) and path.rsplit(".", 1)[0].split("_")[2] in ("en", "he")
    for how, picture in seen(image, module, plain):
        for name, texts in (("zbar", reader.read(picture)), ("zxing", {code.text for code in zxing(picture)})):
            if texts != set(payloads):
                failures.append((Path(path).name, how, name, sorted(texts)))
    return failures, module


def main():
    folder = Path(sys.argv[1])
    lines = [row.split("\t") for row in (folder / "codes.tsv").read_text().splitlines()]
    lines = [(str(folder / name), *payloads) for name, *payloads in lines]
    assert lines, "no picture has a code"
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(check, lines, chunksize=8))
    failures = [failure for found, _ in results for failure in found]
    # At least 2 pixels of the panel a module.
    failures += [(name, "has modules of", module) for (name, *_), (_, module) in zip(lines, results) if module < 2]
    for failure in failures[:40]:
        print(*failure)
    print(f"{len(lines)} pictures with codes, {len(failures)} failures")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
