"""Addresses: the only place where links and query strings are made.

Every link is a path of this application, so no data can turn into a link that
leads out or runs something.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode

QUERY_CHARACTERS = 4000
"""Longest query string that is read; the rest of a longer one is dropped."""


def parse_search(search: str | None) -> dict[str, str]:
    """``?from=now-7d&to=now`` as a dict; of a repeated key the last one counts."""
    text = (search or "")[:QUERY_CHARACTERS].lstrip("?")
    return dict(parse_qsl(text, max_num_fields=None))


def build_search(query: Mapping[str, str | None]) -> str:
    """A dict as a query string; empty and ``None`` values are left out."""
    kept = {key: value for key, value in query.items() if value}
    return f"?{urlencode(kept, quote_via=quote, safe='/:,')}" if kept else ""


def with_query(search: str | None, **changes: str | None) -> str:
    """The query string with some keys changed; ``None`` removes a key."""
    return build_search({**parse_search(search), **changes})


def href(path: str, search: str | None = None) -> str:
    """A link inside this application.

    Args:
        path: a path that begins with one slash.
        search: a query string, re-encoded before use.

    Raises:
        ValueError: the path would lead to another host.
    """
    if not path.startswith("/") or path.startswith(("//", "/\\")):
        raise ValueError(f"not a path of this application: {path[:80]!r}")
    return quote(path, safe="/-_.~") + build_search(parse_search(search))


RANGE_KEYS = ("from", "to")


def range_only(search: str | None) -> str:
    """The part of a query string that other tabs understand: the time range."""
    query = parse_search(search)
    return build_search({key: query.get(key) for key in RANGE_KEYS})


MODEL_KEYS = ("model", "version", "segment", "window", *RANGE_KEYS)


def model_only(search: str | None, **changes: str | None) -> str:
    """The part of a query string that every monitoring tab understands.

    Args:
        search: the query string of the page.
        changes: keys to set or, with ``None``, to leave out.
    """
    query = parse_search(search)
    return build_search({**{key: query.get(key) for key in MODEL_KEYS}, **changes})
