"""The client: reads the data, knows the schema, sends or keeps the rows."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import rows
from .delivery import Delivery
from .frames import Table, read
from .guard import finish, never_raises, told
from .pins import Pins, label_roles
from .reading import frame
from .result import Result, Tally
from .schema import Roles, columns_of, compare
from .spool import Spool, default_folder, rows_in
from .transport import Transport

URL = "http://127.0.0.1:8050"
BACKLOG_S = 30.0
"""How long one call sends rows kept earlier before its own are kept behind them."""


class Client:
    """A server, an account and a spool.

    What is not given comes from the environment: IOTSPHERE_URL, IOTSPHERE_USERNAME,
    IOTSPHERE_PASSWORD, IOTSPHERE_TOKEN, IOTSPHERE_SPOOL.

    Args:
        url: the server's address; ``http://127.0.0.1:8050``.
        username: to sign in with.
        password: to sign in with.
        token: a bearer token, instead of the two.
        timeout_s: longest wait for the connection and for each answer.
        spool: folder of what is kept while the server is away.
        spool_mb: what the spool may hold at most.
    """

    def __init__(
        self,
        url: str | None = None,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        *,
        timeout_s: float = 5.0,
        spool: str | os.PathLike[str] | None = None,
        spool_mb: float = 512.0,
    ) -> None:
        env = os.environ
        self.url = str(url or env.get("IOTSPHERE_URL") or URL)
        self._transport = Transport(
            self.url,
            username or env.get("IOTSPHERE_USERNAME"),
            password or env.get("IOTSPHERE_PASSWORD"),
            token or env.get("IOTSPHERE_TOKEN"),
            timeout_s,
        )
        folder = Path(spool) if spool is not None else default_folder()
        self.spool = Spool(folder, self._transport.url, spool_mb)
        self._pins = Pins(self.spool)
        self._lock = threading.RLock()

    @never_raises
    def log(
        self,
        data: Any,
        model: str,
        version: str | int | None = None,
        *,
        id: str | None = None,
        timestamp: str | None = None,
        prediction: str | None = None,
        score: str | Mapping[Any, str] | None = None,
        label: str | None = None,
        segments: str | Sequence[str] | None = None,
        kind: str | None = None,
        classes: Sequence[Any] | None = None,
        positive: Any = None,
    ) -> Result:
        """Log predictions with their features; never raises.

        Args:
            data: a pandas, polars or pyarrow table, a list of dicts, or a path.
            model: the model's name; an unknown one is created from this data.
            version: its version; without it the pinned one, and "1" of a new model.
            id: column of the prediction id; generated when there is none.
            timestamp: column of the time, naive is UTC; now when there is none.
            prediction: column of the prediction.
            score: column of the positive class's score, or {class: column}.
            label: column of the true value, where it is known already.
            segments: columns to slice by; used when the model is created.
            kind: binary, multiclass or regression; used when it is created.
            classes: all classes; used when it is created.
            positive: the positive class; used when it is created.
        """
        roles = Roles(
            id, timestamp, prediction, score, label, segments, kind, classes, positive
        )
        with self._lock:
            name, table = _model_name(model), read(data)
            wanted = None if version is None else str(version)
            tally = Tally()
            with told(tally):
                tally = self._log(table, name, wanted, roles, tally)
            return finish(tally, name)

    @never_raises
    def log_labels(
        self,
        data: Any,
        model: str,
        *,
        id: str | None = None,
        label: str | None = None,
        known_at: str | None = None,
    ) -> Result:
        """Log true values by prediction id, in any order, early or late; never raises.

        Args:
            data: as for :meth:`log`; other columns are not sent.
            model: the model's name.
            id: column of the prediction id.
            label: column of the true value.
            known_at: column of the time at which it became known.
        """
        with self._lock:
            name, table = _model_name(model), read(data)
            tally = Tally()
            with told(tally):
                delivery = self._begin(table, tally)
                spec = self._pins.pinned(name, delivery)
                given = {"id": id, "label": label, "known_at": known_at}
                chosen = label_roles(table, spec, given)
                columns = rows.label_columns(table, spec, *chosen)
                path = rows.path_of(name, "labels")
                self._send(table, columns, path, delivery, tally)
            return finish(tally, f"labels of {name}")

    @never_raises
    def flush(self) -> Result:
        """Send what was kept, without a time limit; never raises.

        ``read`` counts the kept rows that were sent now, ``spooled`` those that are
        still kept, and ``rejected`` has the row numbers of the call that kept them.
        """
        with self._lock:
            tally = Tally()
            delivery = Delivery(self._transport, self.spool, tally)
            delivery.backlog(float("inf"), own=tally)
            tally.count("spooled", sum(map(rows_in, self.spool.waiting())))
            return finish(tally, "flush")

    def drift(self, model: str, feature: str | None = None, **query: Any) -> Any:
        """A model's drift scores: a DataFrame, or a list of dicts without pandas.

        Args:
            model: the model's name.
            feature: one feature only.
            query: what else the server takes, such as ``version`` and ``to``;
                ``from_`` stands for ``from``.

        Raises:
            IoTSphereError: there is no answer; the text says why.
        """
        query = {"feature": feature, **query}
        return frame(self._transport, _model_name(model), "drift", query)

    def performance(self, model: str, **query: Any) -> Any:
        """A model's performance, as :meth:`drift`."""
        return frame(self._transport, _model_name(model), "performance", query)

    def _begin(self, table: Table, tally: Tally) -> Delivery:
        tally.rejected += table.refused
        tally.count("read", len(table.numbers) + len(table.refused))
        self._transport.check()
        delivery = Delivery(self._transport, self.spool, tally)
        delivery.backlog(time.monotonic() + BACKLOG_S)
        return delivery

    def _log(
        self, table: Table, model: str, version: str | None, roles: Roles, tally: Tally
    ) -> Tally:
        remembered = self._pins.remembered(model)
        delivery = self._begin(table, tally)
        if not len(table.numbers):
            tally.notes.append("there are no rows")
            return tally
        roles.check(table)
        spec = self._pins.fitting(table, roles, model, delivery)
        if spec is None:
            first = version or "1"
            spec = self._pins.create(table, roles, model, first, delivery, tally)
        renamed = rows.renames(roles, spec)
        tally.columns(compare(table, spec, renamed))
        columns, generated = rows.inference_columns(table, spec, renamed)
        tally.notes += [f"the {role} was generated" for role in generated]
        wanted = version or str(spec.get("version") or "1")
        path = rows.path_of(model, "inferences", version=wanted)
        id_column = str(columns_of(spec).get("id"))
        status = self._send(table, columns, path, delivery, tally, id_column)
        if status == 404:
            self._pins.forget(model)
            if remembered and len(tally.rejected) == tally.counts["read"]:
                # The model is gone since it was asked for: once more from the start.
                return self._log(table, model, version, roles, Tally())
        return tally

    def _send(
        self,
        table: Table,
        columns: Sequence[rows.Sent],
        path: str,
        delivery: Delivery,
        tally: Tally,
        id_column: str = "prediction_id",
    ) -> int:
        """Deliver all rows; returns the status of the last refused piece, else 0."""

        def refuse(number: int, reason: str) -> None:
            tally.rejected.append((number, reason))

        def seen(row: Mapping[str, Any]) -> None:
            tally.ids.append(row.get(id_column))

        status = 0
        for item in rows.pieces(path, table, columns, refuse, seen):
            status = delivery.deliver(item) or status
        return status


def _model_name(model: Any) -> str:
    if not isinstance(model, str) or not model.strip() or model in (".", ".."):
        raise ValueError(f"the model's name must be a text, not {model!r}")
    return model
