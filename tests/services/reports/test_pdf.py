"""Reports on paper, read back."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import uharfbuzz
from reportlab import rl_config

from dashboards.figures.theme import TOKENS
from services.reports import fonts, look
from services.reports.document import (
    BarChart,
    Column,
    HeatChart,
    Line,
    LineChart,
    Section,
    Table,
    Text,
)
from services.reports.pdf import CONTENTS_FROM, render_pdf
from services.reports.pdf_table import MOST_ROWS
from services.reports.text import LONGEST_CELL, clean
from services.reports.words import shown, zone_of
from tests.services.reports import papers

ROOT = Path(__file__).parents[3]
SCRIPT = (
    "import hashlib; from tests.services.reports import papers;"
    "from services.reports.pdf import render_pdf;"
    "from services.reports.csv_files import csv_bytes, zip_bytes;"
    "d = papers.everything();"
    "print([hashlib.sha256(f(d)).hexdigest()"
    " for f in (render_pdf, csv_bytes, zip_bytes)])"
)


def test_title_facts_figures_and_footnotes_are_on_the_page() -> None:
    """Everything a document says can be read in its PDF."""
    text = papers.words(render_pdf(papers.everything()))

    for said in (
        "Performance", "October 2026", "1 Oct to 31 Oct 2026", "0.851", "3.3",
        "× expected", "1 234 567", "All is well.", "Intervals are 95 %.",
        "Threshold 0.79", "Realised", "feature_3", "times in Europe/Berlin",
    ):  # fmt: skip
        assert said in text


def test_every_number_of_a_table_is_on_the_page_as_it_is_shown() -> None:
    """A cell has its column's decimals, heads their unit, nothing is lost."""
    table = papers.table(400)
    text = papers.words(render_pdf(papers.document(table)))
    zone = zone_of("Europe/Berlin")

    assert "Accuracy (%)" in text
    for row in table.rows:
        for column, cell in zip(table.columns, row, strict=True):
            words = shown(cell, column.decimals, zone).replace("\u202f", " ")
            assert words in text


def test_a_long_table_has_its_heads_on_every_page() -> None:
    """A table breaks between rows and says again what its columns are."""
    reader = papers.read(render_pdf(papers.document(papers.table(200))))

    assert len(reader.pages) > 3
    for page in reader.pages[:-1]:
        assert "Accuracy (%)" in page.extract_text()


def test_a_table_too_long_for_paper_says_so() -> None:
    """Rows beyond the most are left out, and the page tells it."""
    text = papers.words(render_pdf(papers.document(papers.table(MOST_ROWS + 5))))

    assert "The first 2000 rows; the file of numbers has all." in text


def test_pages_are_counted() -> None:
    """Every page says which of how many it is."""
    reader = papers.read(render_pdf(papers.everything()))
    count = len(reader.pages)

    for i, page in enumerate(reader.pages, 1):
        assert f"Page {i} of {count}" in " ".join(page.extract_text().split())


def test_sections_are_bookmarks_on_their_page() -> None:
    """The outline names every section and leads to the page with its heading."""
    document = papers.everything()
    reader = papers.read(render_pdf(document))
    found = papers.outline(reader)

    assert [title for title, _ in found] == [s.title for s in document.sections]
    for title, page in found:
        assert title in reader.pages[page].extract_text()


def test_contents_come_with_the_fifth_section() -> None:
    """A short report has none; a long one leads to the pages of its sections."""
    sections = tuple(
        Section(str(i), f"Part {i}", (papers.table(60),)) for i in range(CONTENTS_FROM)
    )
    short = render_pdf(papers.document(sections=sections[:-1]))
    long = papers.read(render_pdf(papers.document(sections=sections)))
    first = " ".join(long.pages[0].extract_text().split())

    assert "Contents" not in papers.words(short)
    for title, page in papers.outline(long):
        assert f"{title} {page + 1} " in first


def test_a_heading_is_not_left_alone() -> None:
    """Wherever a page ends, a heading has the start of its block below it."""
    for rows in range(24, 34):
        sections = (
            Section("a", "Above", (papers.table(rows),)),
            Section("b", "Below it", (papers.line_chart(),)),
        )
        reader = papers.read(render_pdf(papers.document(sections=sections)))
        page = reader.pages[dict(papers.outline(reader))["Below it"]]

        assert "Gaps have too few labels." in page.extract_text()


def test_what_is_empty_says_so() -> None:
    """A table without rows, a chart without points and an empty section say it."""
    nothing = Table("t", "Rows", (Column("a", "A"),), [])
    chart = LineChart("c", "Chart", "W", (Line("x", (), ()),))
    bars = BarChart("b", "Bars", "W", (), ())
    heat = HeatChart("h", "Heat", "W", (), (), ())
    document = papers.document(nothing, chart, bars, heat)
    more = (*document.sections, Section("e", "Empty", ()))
    text = papers.words(render_pdf(papers.document(sections=more)))

    assert text.count("No data") == 5


@pytest.mark.parametrize("name", papers.NAMES)
def test_names_of_every_script_are_written(name: str) -> None:
    """A name can be read back, and each of its letters is drawn, not a box."""
    data = render_pdf(papers.document(papers.table(1, name)))
    text = papers.words(data)

    for word in name.split():
        assert word in text or word[::-1] in text
    assert fonts.REPLACEMENT not in text
    _assert_drawn(papers.read(data))


def _assert_drawn(reader: Any) -> None:
    """Every font is embedded, and no character it maps is an empty box."""
    for font in papers.fonts(reader).values():
        data = font["/FontDescriptor"]["/FontFile2"].get_data()
        inside = uharfbuzz.Font(uharfbuzz.Face(data))
        codes = _mapped(font["/ToUnicode"].get_data().decode())
        if "NotoSans-" in font["/BaseFont"]:
            assert codes
        for code in codes:
            assert inside.get_nominal_glyph(code)


def _mapped(cmap: str) -> list[int]:
    """The codes of a font beyond ASCII, of which each font lists all signs."""
    pairs = re.findall(r"^<(\w+)> <(\w+)>$", cmap.partition("beginbfchar")[2], re.M)
    return [int(code, 16) for code, char in pairs if int(char, 16) > 0x7F]


def test_what_no_font_has_is_a_visible_sign() -> None:
    """An emoji or a rare script becomes a replacement sign and stops nothing."""
    text = papers.words(render_pdf(papers.document(Text("Hot 🔥 \U0001e900 day"))))

    assert f"Hot {fonts.REPLACEMENT} {fonts.REPLACEMENT} day" in text


def test_markup_is_text() -> None:
    """Tags, links and entities of a name are written, never obeyed."""
    name = '<b>x</b> <a href="http://x.y">go</a> <img src="/etc/passwd"/> &amp; </para'
    data = render_pdf(papers.document(Text(name), papers.table(1, name), title=name))

    assert name in papers.words(data)
    assert papers.harm(data) == []


def test_nothing_of_a_report_is_set_as_markup() -> None:
    """No module imports ReportLab's paragraphs, and it trusts no host and no scheme."""
    sources = [file.read_text("utf-8") for file in ROOT.glob("services/reports/*.py")]

    assert len(sources) > 10
    assert not any(re.search(r"import.*\bParagraph\b", text) for text in sources)
    assert rl_config.trustedHosts == rl_config.trustedSchemes == []


def test_a_text_without_end_is_cut_and_noted() -> None:
    """A cell of 10,000 characters keeps to its page, and the page says it is cut."""
    data = render_pdf(papers.document(papers.table(1, "x" * 10_000)))
    text = papers.words(data)

    assert text.replace(" ", "").count("x" * (LONGEST_CELL - 1) + "...") == 1
    assert "Long texts are cut" in text


def test_control_characters_are_dropped() -> None:
    """NUL, escapes, lone surrogates and marks of direction never reach the page."""
    assert clean("a\0b\x1bc\ud800d\u202ee\u2066f\ue000g\ufe0f") == "abcdefg"
    assert clean("a\r\nb\u2028c\td") == "a b c d"


def test_the_same_document_is_the_same_file() -> None:
    """Processes with other hash seeds write the same PDF, CSV and ZIP, as this one."""
    made = {_elsewhere(seed) for seed in ("0", "77")}
    document = papers.everything()
    render_pdf(papers.document(Text("before: سخان 温水器 דוד ≥")))

    assert len(made) == 1
    assert hashlib.sha256(render_pdf(document)).hexdigest() in made.pop()


def _elsewhere(seed: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True,
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "TZ": f"UTC{seed[:1]}"},
        check=True,
    )  # fmt: skip
    return run.stdout


def test_the_file_says_when_it_was_made_and_not_by_whom() -> None:
    """Dates are the document's; author and producer are the product."""
    found = papers.read(render_pdf(papers.document())).metadata

    assert found is not None
    assert found.creation_date == found.modification_date == papers.MADE
    assert {found.author, found.creator, found.producer} == {"IoTSphere"}
    assert found.title == "Performance"


def test_progress_is_told() -> None:
    """The share done grows to 1, and the sections are named."""
    told: list[tuple[float, str]] = []
    render_pdf(papers.everything(), lambda share, step: told.append((share, step)))
    shares = [share for share, _ in told]

    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert {"Summary", "Tables"} <= {step for _, step in told}


def test_print_colours_are_those_of_the_screen() -> None:
    """Both have one light theme."""
    light = TOKENS["light"]

    for token, colour in look.PALETTE.items():
        assert token == "plain" or light[token] == colour
