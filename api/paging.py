"""Lists in pages: ``limit`` and ``cursor`` in, ``items`` and ``next_cursor`` out."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from pydantic import BaseModel, Field

from services.errors import InvalidInput

LIMIT = 50


class Page(BaseModel):
    """Which page of a list."""

    limit: int = Field(LIMIT, ge=1, description="Items in one answer")
    cursor: str | None = Field(
        None, max_length=400, description="``next_cursor`` of the answer before"
    )


def checked(limit: int, most: int) -> int:
    """The limit, unless it is over the largest allowed.

    Raises:
        InvalidInput: it is; the message names the limit.
    """
    if limit > most:
        raise InvalidInput(
            f"limit is at most {most} (setting IOTSPHERE_MAX_PAGE), not {limit}."
        )
    return limit


def written(*parts: str | int) -> str:
    """A cursor that says where the next page begins."""
    return urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def read(cursor: str, *kinds: type) -> list[str | int]:
    """What ``written`` put into a cursor.

    Raises:
        InvalidInput: it was not made by us for this list.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = json.loads(urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _wrong() from error
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise _wrong()
    return parts


def _wrong() -> InvalidInput:
    return InvalidInput("cursor is not one that this list has given.")
