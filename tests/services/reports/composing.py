"""What the tests of the templates share: a composer on real stores, and its parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bootstrap_reports import composing
from data.engine import Reader
from data.session import open_engine
from services.access import Principal
from services.reports.compose import Composer
from services.reports.document import Block, Cell, Document, Table, Text
from services.reports.query import ReportQuery
from settings import Settings


@contextmanager
def open_composer(settings: Settings) -> Iterator[Composer]:
    """A composer of its own on stores that are there."""
    engine, reader = open_engine(settings.operational_url), Reader(settings)
    try:
        yield composing(engine, reader, settings)
    finally:
        reader.close()
        engine.dispose()


def compose(
    settings: Settings,
    caller: Principal,
    template: str,
    start: datetime,
    end: datetime,
    now: datetime,
    **asked: Any,
) -> Document:
    """One report by a composer of its own."""
    query = ReportQuery(template, start, end, **asked)
    with open_composer(settings) as composer:
        return composer.compose(caller, query, now)


def table(document: Document, key: str) -> Table:
    """The table of a key."""
    return next(t for _, t in document.tables() if t.key == key)


def block(document: Document, key: str) -> Any:
    """The chart or table of a key."""
    return next(b for b in blocks(document) if getattr(b, "key", "") == key)


def blocks(document: Document) -> list[Block]:
    """Every block, in order."""
    return [b for section in document.sections for b in section.blocks]


def column(found: Table, key: str) -> list[Cell]:
    """The cells of a column."""
    place = [c.key for c in found.columns].index(key)
    return [row[place] for row in found.rows]


def figure(document: Document, name: str) -> Any:
    """The first key figure of a name."""
    items = [i for b in blocks(document) for i in getattr(b, "items", ())]
    return next(i for i in items if i.name == name)


def texts(document: Document) -> list[str]:
    """Every paragraph."""
    return [b.text for b in blocks(document) if isinstance(b, Text)]
