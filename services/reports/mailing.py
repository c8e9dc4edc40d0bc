"""The mails of a scheduled report: one parcel for each recipient, told once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from html import escape

from data.report_records import Parcel, ReportRun, Schedule
from services.errors import InvalidInput
from services.notify_spec import ADDRESS, ADDRESS_LENGTH
from services.reports import request

MOST_RECIPIENTS = 50


def recipients(found: Iterable[object]) -> tuple[str, ...]:
    """Mail addresses, each once.

    Raises:
        InvalidInput: one of them is none, or there are too many.
    """
    addresses = []
    for item in found:
        text = item.strip() if isinstance(item, str) else ""
        if len(text) > ADDRESS_LENGTH or not ADDRESS.fullmatch(text):
            raise InvalidInput(f"{str(item)[:60]!r} is no mail address.")
        addresses.append(text)
    kept = tuple(dict.fromkeys(addresses))
    if len(kept) > MOST_RECIPIENTS:
        raise InvalidInput(f"A schedule has at most {MOST_RECIPIENTS} recipients.")
    return kept


def parcels(
    run: ReportRun, schedule: Schedule, title: str, now: datetime
) -> list[Parcel]:
    """What the outbox sends when a scheduled run is done."""
    query = request.restored(run.query)
    zone = query.preferences.zone
    first = query.start.astimezone(zone)
    last = (query.end - timedelta(microseconds=1)).astimezone(zone)
    span = f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    lines = [
        f"{title}, {span} ({query.preferences.time_zone}).",
        f"The report is attached: {run.file_name}, SHA-256 {run.sha256}.",
        skipped_words(run),
        f"Schedule: {schedule.name}, of {schedule.owner}.",
    ]
    told = [line for line in lines if line]
    addressed = schedule.spec["recipients"]
    assert isinstance(addressed, list | tuple)  # noqa: S101 - checked when saved
    return [
        Parcel(
            key=f"report:{run.id}:{recipient}",
            kind="mail",
            target=recipient,
            subject=f"{schedule.name}: {span}",
            body={
                "text": "\n\n".join(told) + "\n",
                "html": "".join(f"<p>{escape(line)}</p>" for line in told),
            },
            made_at=now,
            next_at=now,
            report_id=run.id,
        )
        for recipient in addressed
    ]


def skipped_words(run: ReportRun) -> str:
    """How many periods before this one were missed; empty = none."""
    skipped = run.query.get("skipped")
    if not isinstance(skipped, int) or skipped < 1:
        return ""
    were = "period was" if skipped == 1 else "periods were"
    return f"{skipped} earlier {were} missed while no worker ran, and not made up."
