"""A report as a PDF: the same document gives the same bytes, anywhere."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from reportlab.platypus.flowables import CondPageBreak, Flowable, Spacer

from services.reports import fonts, text
from services.reports.charts import charts
from services.reports.document import Block, Document, Figures, Section, Table, Text
from services.reports.look import (
    BLOCK,
    BODY,
    HEADINGS,
    HEIGHT,
    SMALL,
    SOFT,
    SUBTITLE,
    TITLE,
    WIDTH,
)
from services.reports.pdf_blocks import SHAPES, Contents, Facts, Heading, Note, tiles
from services.reports.pdf_pages import Pages, template
from services.reports.pdf_table import Grid, grid, prepared
from services.reports.words import zone_of

Progress = Callable[[float, str], None]

CONTENTS_FROM = 5
"""Sections from which on there is a table of contents."""
LAYING_OUT = 0.6
"""Share of the work before pages are drawn."""
GAP = 12.0
"""Above a block; not at the top of a page."""
BIG_GAP = 20.0
HEADING_GAP = 5.0
LINES_KEPT = 3


def render_pdf(document: Document, progress: Progress | None = None) -> bytes:
    """The document as a PDF with its fonts embedded.

    Args:
        document: what the report says.
        progress: told the share done, from 0 to 1, and the section being set.
    """
    out = io.BytesIO()
    with fonts.LOCK:
        story = list(_story(document, progress or _silent))
        if progress:
            progress(LAYING_OUT, "Drawing pages")
        canvas = partial(Pages, made_at=document.made_at)
        template(document, out).build(story, canvasmaker=canvas)
    if progress:
        progress(1.0, "Done")
    return out.getvalue()


def _story(document: Document, progress: Progress) -> Iterator[Flowable]:
    zone = zone_of(document.zone)
    yield from _title(document)
    if len(document.sections) >= CONTENTS_FROM:
        yield from _contents(document)
    lowest = 0
    for i, section in enumerate(document.sections):
        progress(LAYING_OUT * i / len(document.sections), text.clean(section.title))
        # An outline may not skip a level on its way down.
        level = min(max(section.level - 1, 0), 1, lowest)
        lowest = level + 1
        yield from _section(section, f"s{i}", level, zone)
    yield from _footnotes(document.footnotes)


def _title(document: Document) -> Iterator[Flowable]:
    yield text.paragraph(document.title, TITLE, text.LONGEST_LINE)
    if document.subtitle:
        yield text.paragraph(document.subtitle, SUBTITLE, 1_000)
    if document.facts:
        yield _below(Facts(document.facts), GAP)


def _contents(document: Document) -> Iterator[Flowable]:
    yield CondPageBreak(120)
    yield _below(text.paragraph("Contents", BLOCK), BIG_GAP)
    yield Spacer(1, 4)
    yield Contents(
        [
            (text.clean(section.title), f"s{i}", int(section.level > 1))
            for i, section in enumerate(document.sections)
        ],
        SOFT,
    )


def _section(
    section: Section, place: str, level: int, zone: ZoneInfo
) -> Iterator[Flowable]:
    heading = Heading(text.clean(section.title), HEADINGS[level], place, level)
    blocks = [list(_block(block, zone)) for block in section.blocks]
    blocks = [block for block in blocks if block] or [[_empty()]]
    _, high = heading.wrap(WIDTH, HEIGHT)
    yield CondPageBreak(min(high + BIG_GAP + _kept(blocks[0]), HEIGHT))
    yield _below(heading, BIG_GAP)
    for i, block in enumerate(blocks):
        gap = GAP if i else HEADING_GAP
        if i:
            yield CondPageBreak(min(gap + _kept(block), HEIGHT))
        yield _below(block[0], gap)
        yield from block[1:]


def _block(block: Block, zone: ZoneInfo) -> Iterator[Flowable]:
    if isinstance(block, Figures):
        yield from tiles(block.items, zone)
    elif isinstance(block, Text):
        look = BODY
        words = text.paragraph(block.text, look)
        yield Note(words, block.tone) if block.tone in SHAPES else words
    elif isinstance(block, Table):
        yield from _table(block, zone)
    else:
        yield from charts(block, zone)


def _table(table: Table, zone: ZoneInfo) -> Iterator[Flowable]:
    if table.title:
        yield text.paragraph(table.title, BLOCK, text.LONGEST_LINE)
        yield Spacer(1, 2)
    found = prepared(table, zone)
    yield grid(found, WIDTH)
    if not found.rows:
        yield Spacer(1, 4)
        yield _empty()
    for note in filter(None, (table.note, *found.notes)):
        yield Spacer(1, 3)
        yield text.paragraph(note, SMALL, 2_000)


def _kept(block: Sequence[Flowable]) -> float:
    """The height that must be free where a block begins.

    A table needs its title, its heads and a few rows; a text its first lines; a chart
    or a row of figures all of it.
    """
    high = 0.0
    for part in block:
        if isinstance(part, Grid):
            return high + part.kept
        tall: float = part.wrap(WIDTH, HEIGHT)[1]
        if len(block) == 1 and isinstance(part, text.Words | Note):
            return min(tall, LINES_KEPT * BODY.leading)
        high += tall
        if not isinstance(part, text.Words | Spacer):
            return high
    return high


def _footnotes(notes: Sequence[str]) -> Iterator[Flowable]:
    if not notes:
        return
    yield CondPageBreak(60)
    yield _below(text.paragraph("How these numbers were made", BLOCK), BIG_GAP)
    yield Spacer(1, 3)
    for i, note in enumerate(notes, 1):
        yield text.paragraph(f"{i}. {note}", SMALL, 4_000)
        yield Spacer(1, 2)


def _below(part: Flowable, gap: float) -> Flowable:
    """A part with room above it, unless it begins a page."""
    part.spaceBefore = gap
    return part


def _empty() -> Flowable:
    return text.paragraph("No data", SMALL)


def _silent(_share: float, _step: str) -> None:
    return None
