"""What a call did, and the errors behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SHOWN = 5


class IoTSphereError(Exception):
    """A question that could not be answered; the text says why and what to do."""


class Unavailable(IoTSphereError):
    """The server cannot take this now; the same request may succeed later."""


class Blocked(Unavailable):
    """The server wants another sign-in or permission; somebody has to mend that."""


class Refused(IoTSphereError):
    """The server will never take this request as it is."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{detail} (HTTP {status})")
        self.status = status


@dataclass(frozen=True)
class Result:
    """What became of the rows of one call.

    Attributes:
        ok: every row read is on the server or kept in the spool, and nothing else
            went wrong. ``error`` is a text exactly when it is False.
        read: rows found in the data.
        taken: rows the server took now.
        duplicates: rows the server had already.
        spooled: rows kept in the local spool, to be sent later.
        rejected: rows refused, as (row number in the data from 0, reason).
        unknown_columns: columns that the pinned schema does not have.
        missing_columns: columns of the pinned schema that the data does not have.
        changed_types: ``{"column", "expected", "found"}`` of columns whose type is
            not the pinned one.
        error: what went wrong.
        ids: the prediction id of each row that could be read, in order; generated
            where the data has none.
        note: what else is worth knowing, such as why rows were kept.
    """

    ok: bool
    read: int = 0
    taken: int = 0
    duplicates: int = 0
    spooled: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)
    missing_columns: list[str] = field(default_factory=list)
    changed_types: list[dict[str, str]] = field(default_factory=list)
    error: str | None = None
    ids: list[str | None] = field(default_factory=list)
    note: str = ""

    def __str__(self) -> str:
        counts = [
            ("taken", self.taken),
            ("known already", self.duplicates),
            ("kept for later", self.spooled),
            ("refused", len(self.rejected)),
        ]
        said = ", ".join(f"{n} {word}" for word, n in counts if n) or "none taken"
        lines = [f"{'ok' if self.ok else 'NOT OK'}: {self.read} rows: {said}"]
        if self.error:
            lines.append(f"error: {self.error}")
        lines += [f"row {row}: {reason}" for row, reason in self.rejected[:SHOWN]]
        if len(self.rejected) > SHOWN:
            lines.append(f"and {len(self.rejected) - SHOWN} more refused rows")
        if self.unknown_columns:
            lines.append(f"unknown columns: {', '.join(self.unknown_columns)}")
        if self.missing_columns:
            lines.append(f"missing columns: {', '.join(self.missing_columns)}")
        lines += [
            f"column {c.get('column')}: expected {c.get('expected')}, "
            f"found {c.get('found')}"
            for c in self.changed_types
        ]
        if self.note:
            lines.append(f"note: {self.note}")
        return "\n".join(lines)


@dataclass
class Tally:
    """A result in the making."""

    counts: dict[str, int] = field(default_factory=dict)
    rejected: list[tuple[int, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    changed: dict[str, dict[str, str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ids: list[str | None] = field(default_factory=list)

    def count(self, name: str, rows: int) -> None:
        """Add rows to a count."""
        self.counts[name] = self.counts.get(name, 0) + rows

    def answer(self, answer: Mapping[str, Any], numbers: Sequence[int]) -> None:
        """Add the server's answer to a piece whose rows have these numbers."""
        for name in ("taken", "duplicates"):
            self.count(name, number(answer, name))
        self.rejected += refusals(answer, numbers)
        self.columns(answer)

    def columns(self, found: Mapping[str, Any]) -> None:
        """Add differences from the pinned schema, each column once."""
        for name, known in (
            ("unknown_columns", self.unknown),
            ("missing_columns", self.missing),
        ):
            known += [str(c) for c in items(found, name) if str(c) not in known]
        for change in items(found, "changed_types"):
            if isinstance(change, Mapping):
                told = {str(k): str(v) for k, v in change.items()}
                self.changed.setdefault(told.get("column", ""), told)

    def result(self) -> Result:
        """The finished result."""
        errors = list(self.errors)
        if self.rejected:
            row, reason = min(self.rejected)
            errors.append(
                f"{len(self.rejected)} of {self.counts.get('read', 0)} rows were "
                f"refused, the first is row {row}: {reason}"
            )
        return Result(
            ok=not errors,
            rejected=sorted(self.rejected),
            unknown_columns=self.unknown,
            missing_columns=self.missing,
            changed_types=list(self.changed.values()),
            error="; ".join(dict.fromkeys(errors)) or None,
            ids=self.ids,
            note="; ".join(dict.fromkeys(self.notes)),
            **self.counts,
        )


def refusals(
    answer: Mapping[str, Any], numbers: Sequence[int]
) -> list[tuple[int, str]]:
    """The refused rows of an answer under their numbers in the caller's data."""
    found = []
    for entry in items(answer, "rejected"):
        if isinstance(entry, Mapping):
            at = number(entry, "row")
            row = numbers[at] if 0 <= at < len(numbers) else at
            found.append((row, str(entry.get("reason", "no reason given"))))
    return found


def number(answer: Mapping[str, Any], name: str) -> int:
    """A count of an answer; 0 where it has none."""
    value = answer.get(name, 0)
    return value if isinstance(value, int) else 0


def items(answer: Mapping[str, Any], name: str) -> list[Any]:
    """A list of an answer; empty where it has none."""
    value = answer.get(name)
    return value if isinstance(value, list) else []
