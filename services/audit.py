"""The audit log: who changed what, in a chain that shows tampering.

Each row carries the hash of the row before it and of its own content, so a
changed, deleted, inserted or swapped row breaks the chain at that place. A cut
tail cannot be seen from the chain alone, and someone who owns the database and
recomputes every hash can rewrite it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from data.audit_store import AuditRow, AuditStore
from data.session import Transaction
from services.access import Principal, requires

FIRST_HASH = "0" * 64
NOBODY = "anonymous"
MAX_PAGE = 500


@dataclass(frozen=True)
class AuditLine:
    """One line as people read it."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


class Audit:
    """Writes audit lines inside the transaction of the change they describe."""

    def __init__(self, store: AuditStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def record(
        self,
        tx: Transaction,
        caller: Principal | None,
        action: str,
        subject: str,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a line; it is kept only if the transaction of the change is.

        Args:
            tx: the open transaction of the change.
            caller: who did it; ``None`` is somebody who has not signed in.
            action: ``noun.verb``, as ``user.disable``.
            subject: what it was done to.
            detail: plain JSON values; never a secret.
        """
        last_id, last_hash = self._store.last(tx) or (0, FIRST_HASH)
        row = AuditRow(
            id=last_id + 1,
            at=self._clock(),
            actor=caller.username if caller else NOBODY,
            action=action,
            subject=subject,
            detail=dict(detail or {}),
            previous_hash=last_hash,
            hash="",
        )
        self._store.append(tx, replace(row, hash=chain_hash(row)))

    def verify(self, caller: Principal) -> int | None:
        """Walk the chain: the id of the first row that does not fit, or ``None``."""
        requires(caller, "audit.read")
        expected_id, expected_hash = 1, FIRST_HASH
        for row in self._store.walk():
            fits = row.id == expected_id and row.previous_hash == expected_hash
            if not fits or row.hash != chain_hash(row):
                return row.id
            expected_id, expected_hash = row.id + 1, row.hash
        return None

    def lines(
        self,
        caller: Principal,
        limit: int = 100,
        before: int | None = None,
        actor: str | None = None,
        action: str | None = None,
    ) -> tuple[AuditLine, ...]:
        """The newest lines first; ``before`` is the id the last page ended with."""
        requires(caller, "audit.read")
        rows = self._store.page(min(max(limit, 1), MAX_PAGE), before, actor, action)
        return tuple(
            AuditLine(r.id, r.at, r.actor, r.action, r.subject, r.detail) for r in rows
        )


def chain_hash(row: AuditRow) -> str:
    """SHA-256 over the previous hash and the canonical JSON of the content."""
    content = json.dumps(
        [
            row.id,
            row.at.astimezone(UTC).isoformat(timespec="microseconds"),
            row.actor,
            row.action,
            row.subject,
            row.detail,
            row.previous_hash,
        ],
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=False,
    )
    return hashlib.sha256(content.encode("ascii")).hexdigest()
