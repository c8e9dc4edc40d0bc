"""Numbers, units and times as the reader sees them: the words of ``services.wording``.

The only place of the screens where stored units become the reader's units and
UTC becomes local time.
"""

from __future__ import annotations

from services.wording import (
    NO_BREAK,
    NO_DATA,
    age,
    converted,
    duration,
    label,
    local_date,
    local_time,
    number,
    quantity,
    share,
    titled,
    unit_of,
)

__all__ = [
    "NO_BREAK",
    "NO_DATA",
    "age",
    "converted",
    "duration",
    "label",
    "local_date",
    "local_time",
    "number",
    "quantity",
    "share",
    "titled",
    "unit_of",
]
