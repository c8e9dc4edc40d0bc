"""What somebody typed into the forms of plan and maintenance -> typed values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from dashboards.details_plan import NO_MODE, Draft
from data.plan_store import PlanEntry
from services.errors import InvalidInput
from services.maintenance import Entry
from services.units import Preferences, to_stored

MOST_ROWS = 100


def read_drafts(columns: Sequence[Any]) -> list[Draft]:
    """The rows of the form from its columns: days, times, targets, modes.

    Raises:
        InvalidInput: the columns are not those of the form.
    """
    if not all(isinstance(column, list) for column in columns):
        raise InvalidInput("The rows of the form are not complete.")
    if len({len(column) for column in columns}) != 1 or len(columns[0]) > MOST_ROWS:
        raise InvalidInput("The rows of the form are not complete.")
    return [
        Draft(
            tuple(d for d in days or () if isinstance(d, int)),
            str(time or ""),
            str(target if target is not None else ""),
            str(mode or NO_MODE),
        )
        for days, time, target, mode in zip(*columns, strict=True)
    ]


def read_entries(drafts: Sequence[Draft], prefs: Preferences) -> list[PlanEntry]:
    """The entries that rows describe.

    Raises:
        InvalidInput: a target is no number; the message names the row.
    """
    found = []
    for number, draft in enumerate(drafts, 1):
        try:
            target = float(draft.target.strip().replace(",", "."))
        except ValueError:
            raise InvalidInput(f"Entry {number}: type a target.") from None
        found.append(
            PlanEntry(
                draft.days,
                draft.time[:5],
                to_stored(target, "temperature", prefs),
                None if draft.mode == NO_MODE else draft.mode,
            )
        )
    return found


def read_work(typed: Sequence[Any]) -> Entry:
    """The maintenance entry of the form: kind, days, who, note.

    Raises:
        InvalidInput: a date is none.
    """
    kind, done_on, next_on, by, note = (str(value or "").strip() for value in typed)
    return Entry(
        kind=kind,
        done_on=_day(done_on, "Done on"),
        note=note,
        by=by,
        next_on=_day(next_on, "Next on") if next_on else None,
    )


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{name}: choose a day.") from None
