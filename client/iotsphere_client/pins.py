"""Schemas: asked for once, remembered, created where a model is unknown."""

from __future__ import annotations

import time
from collections.abc import Mapping

from .delivery import Delivery
from .frames import Table
from .result import IoTSphereError, Refused, Tally, Unavailable
from .rows import renames
from .schema import Roles, Spec, columns_of, compare, infer, recognise
from .spool import Spool, SpoolFull

KNOWN_FOR_S = 300.0
"""A schema is asked for again after this long, and whenever data does not fit it."""


class Pins:
    """The pinned schemas of one client."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._known: dict[str, tuple[float, Spec]] = {}

    def remembered(self, model: str) -> bool:
        """Whether a model's schema would be taken without asking."""
        return model in self._known

    def forget(self, model: str) -> None:
        """Ask the server again next time."""
        self._known.pop(model, None)

    def pinned(self, model: str, delivery: Delivery) -> Spec | None:
        """The schema of a model: the server's, or the local one while it is away."""
        asked, spec = self._known.get(model, (0.0, None))
        if spec is not None and time.monotonic() - asked < KNOWN_FOR_S:
            return spec
        if not delivery.closed:
            try:
                found = delivery.specification(model)
            except Unavailable as error:
                delivery.close(error)
            else:
                if found is not None:
                    self._remember(model, found, delivery)
                return found
        return self._spool.pinned(model)

    def fitting(
        self, table: Table, roles: Roles, model: str, delivery: Delivery
    ) -> Spec | None:
        """The pinned schema, asked for anew when the table differs from it."""
        remembered = self.remembered(model)
        spec = self.pinned(model, delivery)
        if spec is None or not remembered or delivery.closed:
            return spec
        if any(compare(table, spec, renames(roles, spec)).values()):
            self.forget(model)
            return self.pinned(model, delivery) or spec
        return spec

    def create(
        self,
        table: Table,
        roles: Roles,
        model: str,
        version: str,
        delivery: Delivery,
        tally: Tally,
    ) -> Spec:
        """Infer, register and pin the schema of an unknown model.

        Raises:
            ValueError: the table does not tell enough.
            IoTSphereError: the server refuses the schema, or it can be neither
                registered nor kept.
        """
        spec, notes = infer(table, roles, model, version)
        tally.notes += notes
        if not delivery.closed:
            try:
                spec = delivery.register(spec)
            except Unavailable as error:
                delivery.close(error)
            except Refused as error:
                said = f"no row was sent: the schema of {model} is refused: {error}"
                raise IoTSphereError(said) from error
            else:
                self._remember(model, spec, delivery)
                return spec
        try:
            delivery.register_later(spec)
        except (SpoolFull, OSError) as error:
            said = f"rows are neither sent nor kept: {delivery.closed}; {error}"
            raise IoTSphereError(said) from error
        delivery.pin(spec, model)
        return spec

    def _remember(self, model: str, spec: Spec, delivery: Delivery) -> None:
        self._known[model] = (time.monotonic(), spec)
        delivery.pin(spec, model)


def label_roles(
    table: Table, spec: Spec | None, given: Mapping[str, str | None]
) -> tuple[str, str, str | None]:
    """The columns of id, label and known_at: given, as pinned, or by usual names.

    Raises:
        ValueError: a given one is not there, or id or label cannot be told.
    """
    found: dict[str, str | None] = {}
    there = ", ".join(list(table.columns)[:30])
    for role, name in given.items():
        if name is not None and name not in table.columns:
            raise ValueError(f"{role}: there is no column {name!r}; there are {there}")
        pinned = columns_of(spec or {}).get(role)
        known = pinned if pinned in table.columns else None
        found[role] = name or known or recognise(table, role, None)
    id_, label = found["id"], found["label"]
    if id_ is None or label is None:
        raise ValueError(f"give id= and label=; the columns are {there}")
    return id_, label, found["known_at"]
