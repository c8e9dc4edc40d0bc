"""Sending within one call: what waits goes first, what fails is kept."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .result import Blocked, Refused, Tally, Unavailable, refusals
from .rows import path_of
from .schema import Spec
from .spool import Item, Spool, SpoolFull, rows_in
from .transport import Transport


class Delivery:
    """The requests of one call, counted into its tally.

    After the first request that cannot be sent, ``closed`` says why and the rest
    goes to the spool without trying.
    """

    def __init__(self, transport: Transport, spool: Spool, tally: Tally) -> None:
        self._transport, self._spool, self._tally = transport, spool, tally
        self.closed = ""

    def close(self, reason: Unavailable | str) -> None:
        """Keep everything from here on."""
        self.closed = str(reason)
        told = self._tally.errors if isinstance(reason, Blocked) else self._tally.notes
        told.append(self.closed)

    def specification(self, model: str) -> Spec | None:
        """The server's specification of a model; None when it knows none.

        Raises:
            Unavailable, Refused: as the transport.
        """
        try:
            spec = self._transport.call("GET", path_of(model, ""))
        except Refused as error:
            if error.status == 404:
                return None
            raise
        if not isinstance(spec, dict):
            raise Unavailable(f"{self._transport.url} answers with no specification")
        return spec

    def register(self, spec: Spec) -> Spec:
        """Create a model; returns its specification as it is now pinned."""
        answer = self._transport.call("PUT", path_of(spec["name"], ""), _body(spec))
        kept = isinstance(answer, dict) and isinstance(answer.get("features"), list)
        return answer if kept else spec

    def register_later(self, spec: Spec) -> None:
        """Keep a model's creation, before its rows, for when the server is there.

        Raises:
            SpoolFull, OSError: it cannot be kept.
        """
        path = path_of(spec["name"], "")
        self._spool.add(Item("PUT", path, uuid.uuid4().hex, [], _body(spec)))

    def pin(self, spec: Mapping[str, Any], model: str) -> None:
        """Remember a schema; that it cannot be kept is no reason not to send."""
        try:
            self._spool.pin(model, spec)
        except OSError as error:
            self._tally.notes.append(f"the schema is not kept locally: {error}")

    def deliver(self, item: Item) -> int:
        """Send a piece of rows or keep it; returns the status of a refusal, else 0."""
        if not self.closed:
            try:
                self._tally.answer(self._post(item), item.numbers)
                return 0
            except Unavailable as error:
                self.close(error)
            except Refused as error:
                self._tally.rejected += [(n, str(error)) for n in item.numbers]
                return error.status
        try:
            self._spool.add(item)
            self._tally.count("spooled", len(item.numbers))
        except (SpoolFull, OSError) as error:
            reason = f"neither sent nor kept: {self.closed}; {error}"
            self._tally.rejected += [(n, reason) for n in item.numbers]
        return 0

    def backlog(self, until: float, own: Tally | None = None) -> None:
        """Send what was kept, in order, until it is all sent or cannot be.

        Args:
            until: ``time.monotonic()`` at which to stop.
            own: counts the kept rows; without it they are only spoken of.
        """
        tally = own or Tally()
        try:
            waiting = self._spool.waiting()
        except OSError as error:
            self._tally.errors.append(f"the spool cannot be read: {error}")
            return
        for at, file in enumerate(waiting):
            if time.monotonic() > until:
                rows = sum(map(rows_in, waiting[at:]))
                self.close(f"{rows} earlier rows are still to be sent first")
            if self.closed:
                break
            try:
                self._resend(file, tally)
            except OSError as error:  # it stays where it is
                self._tally.errors.append(f"the spool cannot be written: {error}")
        sent = tally.counts.get("read", 0)
        if sent and own is None:
            self._tally.notes.append(f"{sent} rows kept earlier were sent")

    def _resend(self, file: Path, tally: Tally) -> None:
        try:
            item = self._spool.read(file)
        except FileNotFoundError:  # another process sent it meanwhile
            return
        except ValueError as error:
            self._spool.set_aside(file)
            self._tally.errors.append(f"a kept request cannot be read: {error}")
            return
        try:
            answer = self._post(item) if item.numbers else self._create(item)
        except Unavailable as error:
            self.close(error)
            return
        except Refused as error:
            rejected = [(n, str(error)) for n in item.numbers]
            self._refused(file, item, rejected or [(0, str(error))])
        else:
            tally.answer({**answer, "rejected": []}, item.numbers)
            rejected = refusals(answer, item.numbers)
            if rejected:
                self._refused(file, item, rejected)
        tally.rejected += rejected
        tally.count("read", len(item.numbers))
        self._spool.forget(file)

    def _refused(self, file: Path, item: Item, rejected: list[tuple[int, str]]) -> None:
        self._spool.refuse(file, item, rejected)
        what = f"{len(rejected)} rows" if item.numbers else "a model's schema"
        self._tally.errors.append(
            f"of what was kept earlier {what} for {item.path} were refused "
            f"({rejected[0][1]}) and are in {self._spool.refused}"
        )

    def _create(self, item: Item) -> dict[str, Any]:
        spec = json.loads(item.body)
        there = self.specification(spec["name"])
        self.pin(there or self.register(spec), spec["name"])
        return {}

    def _post(self, item: Item) -> dict[str, Any]:
        answer = self._transport.call(item.method, item.path, item.body, item.key)
        if not isinstance(answer, dict):
            raise Unavailable(
                f"{self._transport.url} does not answer as IoTSphere does"
            )
        return answer


def _body(spec: Spec) -> bytes:
    return json.dumps(spec, separators=(",", ":")).encode()
