"""The fonts of a PDF, embedded as the characters that are used.

They come from installed packages: Noto Sans for Latin, Greek, Cyrillic and Vietnamese,
Noto Sans Arabic, Heebo for Hebrew, WenQuanYi Micro Hei for Chinese, Japanese, Korean
and signs. What none of them has becomes a visible replacement sign. ReportLab's own
font finder is not used, because it keeps a pickle in the temp folder.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from itertools import groupby
from threading import RLock
from typing import Any

import uharfbuzz
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = 400, 600
REPLACEMENT = "\ufffd"
LOCK = RLock()
"""Fonts are shared by the process; one document is written at a time."""

Glyph = tuple[str, str, float]
"""Font name, the character drawn, its width at size 1."""

_VARIABLE = (
    ("fontpkg_noto_sans", "NotoSans[wdth,wght].ttf", "NotoSans"),
    ("fontpkg_noto_sans_arabic", "NotoSansArabic[wdth,wght].ttf", "NotoSansArabic"),
    ("fontpkg_heebo", "Heebo[wght].ttf", "Heebo"),
)
_CJK = ("paperang_p2_fonts_cjk", "wqy-microhei.ttc", "WenQuanYiMicroHei")


def glyph(char: str, bold: bool = False) -> Glyph:
    """The font that has a character, what is drawn for it, and its width."""
    return _GLYPHS[bold][char]


def width(text: str, size: float, bold: bool = False) -> float:
    """The width of a text in points."""
    known = _GLYPHS[bold]
    return sum([known[char][2] for char in text]) * size


def runs(text: str, bold: bool = False) -> Iterator[tuple[str, str, float]]:
    """A text cut where its font changes: font, characters, width at size 1."""
    known = _GLYPHS[bold]
    for font, found in groupby([known[c] for c in text], key=lambda g: g[0]):
        part = list(found)
        yield font, "".join(g[1] for g in part), sum(g[2] for g in part)


class _Glyphs(dict[str, Glyph]):
    """The glyph of each character, found once."""

    def __init__(self, weight: int) -> None:
        super().__init__()
        self.weight = weight

    def __missing__(self, char: str) -> Glyph:
        code = ord(char)
        for load in _chain(self.weight):
            font = load()
            if font.face.charToGlyph.get(code):
                wide = font.face.getCharWidth(code) / 1000
                self[char] = found = (font.fontName, char, wide)
                return found
        self[char] = found = self[REPLACEMENT]
        return found


_GLYPHS = (_Glyphs(REGULAR), _Glyphs(BOLD))


@cache
def _chain(weight: int) -> tuple[Callable[[], Any], ...]:
    """The fonts to ask for a character, in order; each is loaded when it is asked."""

    def one(package: str, file: str, name: str) -> Callable[[], Any]:
        return lambda: _variable(package, file, name, weight)

    return (*(one(*parts) for parts in _VARIABLE), _cjk)


@cache
def _variable(package: str, file: str, name: str, weight: int) -> Any:
    """One weight of a variable font; ReportLab embeds fixed outlines only."""
    with LOCK:
        face = uharfbuzz.Face((files(package) / "files" / file).read_bytes())
        wish = uharfbuzz.SubsetInput()
        wish.keep_everything()
        for axis in face.axis_infos:
            place = float(weight) if axis.tag == "wght" else axis.default_value
            wish.pin_axis_location(face, axis.tag, place)
        data = uharfbuzz.subset(face, wish).blob.data
        return _registered(f"{name}-{weight}", data)


@cache
def _cjk() -> Any:
    package, file, name = _CJK
    with LOCK:
        return _registered(name, (files(package) / "fonts" / file).read_bytes())


def _registered(name: str, data: bytes) -> Any:
    font = TTFont(name, io.BytesIO(data), subfontIndex=0, shapable=False)
    # Weights of one family share a name inside the file, which would mix them up.
    font.face.name = name.encode()
    pdfmetrics.registerFont(font)
    return font
