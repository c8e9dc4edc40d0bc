"""What lists share: a number that filters, and the head of a column that sorts."""

from __future__ import annotations

from collections.abc import Callable

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import parts, text

Look = tuple[str, str, str]
"""Icon, words, and the tint of a number that is not zero."""


def count_link(look: Look, number: int, href: str, *, active: bool) -> Component:
    """A number at the top of a list: a link that narrows the list to it."""
    icon, words, tint = look
    classes = [
        "count",
        f"count-{tint}" if tint and number else "",
        "active" if active else "",
    ]
    return dcc.Link(
        [
            html.Span(
                [parts.icon(icon), text.number(number, 0)], className="count-value"
            ),
            html.Span(words, className="count-name"),
            parts.hidden("(shown)") if active else None,
        ],
        href=href,
        className=" ".join(c for c in classes if c),
    )


def sort_head(
    column: tuple[str, str, str],
    shown: str,
    descending: bool,
    href: Callable[[str], str],
    *,
    numeric: bool,
) -> Component:
    """The head of a column: a link that sorts by it, the other way when it does.

    Args:
        column: title, sort (``""`` cannot be sorted) and first direction.
        shown: by what the list is sorted.
        descending: and in which direction.
        href: where a sort leads.
        numeric: whether it stands over numbers.
    """
    title, sort, first = column
    classes = "number" if numeric else ""
    if not sort:
        return html.Th(title, scope="col", className=classes)
    here = shown == sort
    # Worst first has no opposite that anybody asks for.
    turned = "" if descending or sort == "worst" else "-"
    arrow = "arrow-down" if descending else "arrow-up"
    link = dcc.Link(
        [title, parts.icon(arrow) if here and sort != "worst" else None],
        href=href(f"{turned if here else first}{sort}"),
        className="sort-link",
    )
    state = ("descending" if descending else "ascending") if here else "none"
    return html.Th(link, scope="col", className=classes, **parts.aria(sort=state))
