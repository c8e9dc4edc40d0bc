"""The only maker of component ids."""

from __future__ import annotations

import re

_WORD = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")


def ident(tab: str, part: str) -> str:
    """The id of one part of a tab: ``ident("drift", "feature")``.

    Raises:
        ValueError: a word is not kebab case, so the id could not be told apart.
    """
    for word in (tab, part):
        if not _WORD.match(word):
            raise ValueError(f"{word!r} is not kebab case")
    return f"{tab}-{part}"
