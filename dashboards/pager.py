"""Links to the pages of a long list."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text


def pager(page: int, pages: int, path: str, search: str | None) -> Component | None:
    """Links to the pages around one, the first and the last; ``None`` for one page.

    Args:
        page: the page shown, from 1.
        pages: how many there are.
        path: the address of the list.
        search: its query string, kept but for ``page``.
    """
    if pages < 2:
        return None
    near = {1, pages, *range(max(page - 1, 1), min(page + 1, pages) + 1)}
    items: list[Any] = [_step("Previous", page - 1, page > 1, path, search)]
    before = 0
    for number in sorted(near):
        if number > before + 1:
            items.append(html.Span("…", className="page-gap"))
        items.append(_number(number, number == page, path, search))
        before = number
    items.append(_step("Next", page + 1, page < pages, path, search))
    return html.Nav(items, className="pager", **parts.aria(label="Pages"))


def _number(number: int, shown: bool, path: str, search: str | None) -> Component:
    return dcc.Link(
        [text.number(number, 0), parts.hidden("(shown)") if shown else None],
        href=_address(number, path, search),
        className="page-number" + (" active" if shown else ""),
    )


def _step(
    words: str, number: int, possible: bool, path: str, search: str | None
) -> Component:
    if not possible:
        return html.Span(words, className="page-step disabled")
    return dcc.Link(words, href=_address(number, path, search), className="page-step")


def _address(number: int, path: str, search: str | None) -> str:
    page = str(number) if number > 1 else None
    return links.href(path, links.with_query(search, page=page))
