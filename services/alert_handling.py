"""What people do about alerts: each step with its history, its audit line, its news."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from data.account_store import AccountStore
from data.alert_log_store import AlertLogStore, AnotherOpen, StaleAlert
from data.alert_records import Alert, AlertEvent
from data.session import Transaction
from services import alert_steps as steps
from services.access import Principal, requires
from services.alert_steps import Move, Step
from services.alert_views import Result
from services.audit import Audit
from services.errors import Conflict, InvalidInput, NotFound, ServiceError, TooLarge

MOST_AT_ONCE = 500
BULK_ACTIONS: tuple[str, ...] = (
    "acknowledge",
    "assign",
    "comment",
    "shelve",
    "unshelve",
    "resolve",
    "reopen",
)
TOLD: frozenset[str] = frozenset({"acknowledged", "resolved", "reopened"})
"""What those who were told of an alert want to hear as well."""


class Announcer(Protocol):
    """Who tells others what happened to an alert."""

    def announce(self, tx: Transaction, alert: Alert, event: AlertEvent) -> None:
        """Tell it, as part of a transaction; the event is stored already."""


class AlertHandling:
    """The steps people make in an alert's life."""

    def __init__(
        self,
        store: AlertLogStore,
        accounts: AccountStore,
        audit: Audit,
        clock: Callable[[], datetime],
        announcer: Announcer | None = None,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._audit = audit
        self._clock = clock
        self._announcer = announcer

    def people(self, caller: Principal) -> tuple[str, ...]:
        """The users an alert can be given to."""
        requires(caller, "alert.write")
        return tuple(u.username for u in self._accounts.users() if not u.disabled)

    def acknowledge(
        self, caller: Principal, alert_id: int, *, version: int | None = None
    ) -> Alert:
        """Say that somebody has seen it; a second time is harmless."""
        return self._one(caller, alert_id, steps.acknowledge, version)

    def assign(
        self, caller: Principal, alert_id: int, owner: str, *,
        version: int | None = None,
    ) -> Alert:  # fmt: skip
        """Give it to a user; an empty name takes it from whoever has it."""
        requires(caller, "alert.write")
        return self._one(caller, alert_id, self._assigning(owner), version)

    def comment(
        self, caller: Principal, alert_id: int, words: str, *,
        version: int | None = None,
    ) -> Alert:  # fmt: skip
        """Write something into its history."""
        requires(caller, "alert.write")
        return self._one(caller, alert_id, steps.comment(words), version)

    def shelve(
        self, caller: Principal, alert_id: int, until: datetime, reason: str, *,
        version: int | None = None,
    ) -> Alert:  # fmt: skip
        """Put it away until a time, 1 minute to 30 days ahead."""
        requires(caller, "alert.write")
        move = steps.shelve(until, reason, self._clock())
        return self._one(caller, alert_id, move, version)

    def unshelve(
        self, caller: Principal, alert_id: int, *, version: int | None = None
    ) -> Alert:
        """Take it back before its time."""
        return self._one(caller, alert_id, steps.unshelve, version)

    def resolve(
        self, caller: Principal, alert_id: int, note: str = "",
        verdict: str | None = None, *, version: int | None = None,
    ) -> Alert:  # fmt: skip
        """End it, with a note and whether it was useful or noise."""
        requires(caller, "alert.write")
        return self._one(caller, alert_id, steps.resolve(note, verdict), version)

    def reopen(
        self, caller: Principal, alert_id: int, *, version: int | None = None
    ) -> Alert:
        """Somebody has to look again.

        Raises:
            Conflict: a newer alert of the same rule and subject is open.
        """
        return self._one(caller, alert_id, steps.reopen, version)

    def bulk(
        self,
        caller: Principal,
        action: str,
        ids: Sequence[int],
        *,
        owner: str = "",
        words: str = "",
        until: datetime | None = None,
        verdict: str | None = None,
        versions: Mapping[int, int] | None = None,
    ) -> tuple[Result, ...]:
        """One action on up to 500 alerts; each has its own result, in the order asked.

        Args:
            caller: needs ``alert.write``.
            action: one of ``BULK_ACTIONS``.
            ids: the alerts.
            owner: whom to assign them to, empty for nobody.
            words: comment, reason or note.
            until: when they come back from the shelf.
            verdict: ``useful``, ``noise`` or nothing.
            versions: by id, the version that was read, where one has to be.

        Raises:
            TooLarge: more than 500 alerts.
            InvalidInput: there is no such action, or what it needs is not there.
        """
        requires(caller, "alert.write")
        if len(ids) > MOST_AT_ONCE:
            raise TooLarge(f"At most {MOST_AT_ONCE} alerts at once, not {len(ids)}.")
        move, known = self._move(action, owner, words, until, verdict), versions or {}
        wanted, results = list(dict.fromkeys(ids)), []
        with self._store.transaction() as tx:
            found = self._store.locked(tx, wanted)
            for alert_id in wanted:
                try:
                    one, version = found.get(alert_id), known.get(alert_id)
                    self._made(tx, caller, alert_id, one, move, version)
                    results.append(Result(alert_id))
                except ServiceError as error:
                    results.append(Result(alert_id, str(error)))
        return tuple(results)

    def _move(
        self, action: str, owner: str, words: str, until: datetime | None,
        verdict: str | None,
    ) -> Move:  # fmt: skip
        if action not in BULK_ACTIONS:
            raise InvalidInput(f"action must be one of {', '.join(BULK_ACTIONS)}.")
        if action == "assign":
            return self._assigning(owner)
        if action == "comment":
            return steps.comment(words)
        if action == "resolve":
            return steps.resolve(words, verdict)
        if action == "shelve":
            if until is None:
                raise InvalidInput("until is needed: say when it comes back.")
            return steps.shelve(until, words, self._clock())
        simple: dict[str, Move] = {
            "acknowledge": steps.acknowledge,
            "unshelve": steps.unshelve,
            "reopen": steps.reopen,
        }
        return simple[action]

    def _assigning(self, owner: str) -> Move:
        name = owner.strip()
        user = self._accounts.user(name) if name else None
        if name and (user is None or user.disabled):
            raise InvalidInput(f"There is no user {name[:64]}.")
        return steps.assign(name or None)

    def _one(
        self, caller: Principal, alert_id: int, move: Move, version: int | None
    ) -> Alert:
        requires(caller, "alert.write")
        with self._store.transaction() as tx:
            alert = self._store.locked(tx, [alert_id]).get(alert_id)
            return self._made(tx, caller, alert_id, alert, move, version)

    def _made(
        self,
        tx: Transaction,
        caller: Principal,
        alert_id: int,
        alert: Alert | None,
        move: Move,
        version: int | None = None,
    ) -> Alert:
        """The step done, written into history and audit: one transaction."""
        if alert is None:
            raise unknown(alert_id)
        if version is not None and version != alert.version:
            raise _changed(alert, version)
        step = move(alert, caller.username, self._clock())
        return alert if step is None else self._written(tx, caller, alert, step)

    def _written(
        self, tx: Transaction, caller: Principal, alert: Alert, step: Step
    ) -> Alert:
        try:
            self._store.save(tx, step.alert)
        except StaleAlert as error:
            raise _changed(alert, alert.version) from error
        except AnotherOpen as error:
            raise Conflict(
                "A newer alert of this rule and subject is open: work with that one."
            ) from error
        after = replace(step.alert, version=alert.version + 1)
        event = AlertEvent(
            alert.id, self._clock(), step.kind, caller.username, step.text
        )
        event = replace(event, id=self._store.add_event(tx, event))
        detail = {"rule": alert.rule_key, "subject": alert.subject}
        if step.text:
            detail["text"] = step.text
        action = f"alert.{step.kind}"
        self._audit.record(tx, caller, action, str(alert.id), detail)
        if self._announcer is not None and step.kind in TOLD:
            self._announcer.announce(tx, after, event)
        return after


def unknown(alert_id: int) -> NotFound:
    """What is said of an alert that does not exist."""
    return NotFound(f"There is no alert {alert_id}.")


def _changed(alert: Alert, version: int) -> Conflict:
    return Conflict(
        f"Somebody or something has changed this alert meanwhile (version "
        f"{alert.version}, not {version}); look again."
    )
