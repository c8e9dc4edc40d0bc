"""The register of monitored models: apply, change, archive, list, look at one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Literal

from data.inference_lake import InferenceLake
from data.judgement_store import JudgementStore
from data.model_records import Model, ModelSpec, Version
from data.model_store import ModelStore
from data.spec_json import spec_to_json
from services.access import Principal, requires
from services.audit import Audit
from services.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.model_detail import ModelDetails
from services.model_list import ModelList
from services.model_rows import champion_of, newest_of
from services.model_spec import merged, read_document, write_yaml
from services.models_views import (
    ModelDetailView,
    ModelHeaderView,
    ModelsQuery,
    ModelsView,
)
from services.monitoring.scope import window_start

CHANGEABLE: tuple[str, ...] = (
    "thresholds",
    "tags",
    "owner",
    "description",
    "window",
    "routes",
    "archived",
    "retention_days",
)
"""What may be changed with ``model.write``; the rest is applied by an Admin."""
MOST_LINEAGE = 40
LONGEST_LINEAGE = 400
Outcome = Literal["created", "changed", "unchanged"]
Lineage = Mapping[str, object]


class Models:
    """Monitored models as registered."""

    def __init__(
        self,
        store: ModelStore,
        judgements: JudgementStore,
        lake: InferenceLake,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._judgements = judgements
        self._audit = audit
        self._clock = clock
        self._list = ModelList(store, judgements, clock)
        self._details = ModelDetails(store, judgements, lake, self._list, clock)

    def get(self, caller: Principal, name: str) -> Model:
        """The model.

        Raises:
            NotFound: no model has this name.
        """
        requires(caller, "model.read")
        model = self._store.model(name)
        if model is None:
            raise NotFound(f"There is no model {name[:80]}.")
        return model

    def list(self, caller: Principal) -> list[Model]:
        """Every model by name, archived ones included."""
        requires(caller, "model.read")
        return self._store.models()

    def versions(self, caller: Principal, name: str) -> Sequence[Version]:
        """The versions of a model, oldest first.

        Raises:
            NotFound: no model has this name.
        """
        return self._store.versions(self.get(caller, name).id)

    def apply(
        self, caller: Principal, spec: ModelSpec, lineage: Lineage | None = None
    ) -> tuple[Model, Outcome]:
        """Register a model or change it to what the specification says.

        The version of the specification becomes the champion. Features no longer named
        are retired; new ones come last.

        Args:
            caller: needs ``model.admin``.
            spec: the whole specification.
            lineage: what is to be kept of the making of its version.

        Raises:
            InvalidInput: the lineage is too long or holds more than plain values.
            Conflict: stored rows would get another meaning, or somebody else changed
                the model meanwhile.
        """
        requires(caller, "model.admin")
        lineage = checked_lineage(lineage)
        held = self._store.model(spec.name)
        if held is None:
            return self._created(caller, spec, lineage), "created"
        pinned = bool(
            self._store.reference_id(held.id, spec.version) is not None
            or self._store.delivered(held.id, 1)
        )
        wanted = merged(held.spec, spec, pinned=pinned)
        known = {v.version: v.lineage for v in self._store.versions(held.id)}
        told = lineage is not None and lineage != dict(known.get(spec.version) or {})
        if wanted == held.spec and spec.version in known and not told:
            return held, "unchanged"
        return self._changed(caller, held, wanted, lineage), "changed"

    def replace(self, caller: Principal, spec: ModelSpec) -> Model:
        """Change what an Operator may: ``CHANGEABLE``.

        Raises:
            NotFound: no model has this name.
            Forbidden: something else differs too.
            InvalidInput: a value is out of its limits.
            Conflict: somebody else changed the model meanwhile.
        """
        requires(caller, "model.write")
        held = self.get(caller, spec.name)
        other = [n for n in _differences(held.spec, spec) if n not in CHANGEABLE]
        if other:
            raise Forbidden(
                f"{', '.join(other)} of {spec.name} cannot be changed here: only "
                f"{', '.join(CHANGEABLE)}. An Admin changes the rest with "
                "`python cli.py model apply FILE`."
            )
        read_document(spec_to_json(spec))
        if spec == held.spec:
            return held
        return self._changed(caller, held, spec, None)

    def archive(self, caller: Principal, name: str) -> Model:
        """Take a model out of the list; its data stay. See ``replace``."""
        requires(caller, "model.write")
        held = self.get(caller, name)
        return self.replace(caller, replace(held.spec, archived=True))

    def restore(self, caller: Principal, name: str) -> Model:
        """Bring an archived model back to the list. See ``replace``."""
        requires(caller, "model.write")
        held = self.get(caller, name)
        return self.replace(caller, replace(held.spec, archived=False))

    def export_yaml(self, caller: Principal, name: str) -> str:
        """The model's file; applying it again changes nothing."""
        return write_yaml(self.get(caller, name).spec)

    def page(self, caller: Principal, query: ModelsQuery) -> ModelsView:
        """One page of the list; a page past the last one is the last one.

        Raises:
            InvalidInput: a state, sort, kind or page that does not exist.
        """
        requires(caller, "model.read")
        return self._list.page(query)

    def detail(self, caller: Principal, name: str) -> ModelDetailView:
        """One model whole.

        Raises:
            NotFound: no model has this name.
            Busy: the lake did not answer in time.
        """
        return self._details.view(self.get(caller, name))

    def options(self, caller: Principal) -> tuple[tuple[str, str], ...]:
        """Name and label of the models one can go to: those that are not archived."""
        requires(caller, "model.read")
        return tuple((n, n) for n, archived in self._store.names() if not archived)

    def header(
        self, caller: Principal, name: str, version: str | None = ""
    ) -> ModelHeaderView:
        """What stands above the tabs of a model; without ``version`` its champion.

        Raises:
            NotFound: no such model or version.
        """
        model = self.get(caller, name)
        spec = model.spec
        known = [v.version for v in reversed(self._store.versions(model.id))]
        versions = (spec.version, *(v for v in known if v != spec.version))
        version = version or spec.version
        if version not in versions:
            raise NotFound(f"{spec.name} has no version {version[:40]}.")
        shown = replace(model, spec=replace(spec, version=version))
        facts = champion_of(shown, self._judgements.facts(model.id))
        last = facts.last_data if facts else None
        since = window_start(spec.window, last) if last else None
        windows = self._judgements.windows(model.id, version, since)
        if not windows and since is not None:
            windows = self._judgements.windows(model.id, version)
        _, state, severity = newest_of(windows) or (None, "none", "none")
        options = self.options(caller)
        if spec.archived:
            options = (*options, (spec.name, spec.name))
        return ModelHeaderView(
            name=spec.name,
            kind=spec.kind,
            version=version,
            champion=spec.version,
            versions=versions,
            archived=spec.archived,
            simulated=spec.simulated,
            state=state,
            verdict=windows[-1].kind if windows else "none",
            last_data=last,
            options=options,
            severity=severity,
        )

    def _created(
        self, caller: Principal, spec: ModelSpec, lineage: Lineage | None
    ) -> Model:
        now = self._clock()
        try:
            with self._store.transaction() as tx:
                key = self._store.add(tx, spec, now)
                self._store.put_version(tx, key, spec.version, now, lineage)
                detail = {"version": spec.version, "kind": spec.kind}
                self._audit.record(tx, caller, "model.create", spec.name, detail)
        except Exception as error:
            if self._store.model(spec.name) is None:
                raise
            # Its name was free when we looked: somebody else was faster.
            raise Conflict(
                f"{spec.name} was registered by somebody else just now; apply it again."
            ) from error
        self._list.forget()
        return Model(key, spec, 1, now, now)

    def _changed(
        self, caller: Principal, held: Model, spec: ModelSpec, lineage: Lineage | None
    ) -> Model:
        now, differs = self._clock(), _differences(held.spec, spec)
        action = "model.change"
        if differs == ["archived"]:
            action = "model.archive" if spec.archived else "model.restore"
        with self._store.transaction() as tx:
            if not self._store.replace(tx, held, spec, now):
                raise Conflict(
                    f"{spec.name} was changed by somebody else; load it again."
                )
            self._store.put_version(tx, held.id, spec.version, now, lineage)
            detail = {"changed": differs, "revision": held.revision + 1}
            self._audit.record(tx, caller, action, spec.name, detail)
        self._list.forget()
        return replace(held, spec=spec, revision=held.revision + 1, updated_at=now)


def checked_lineage(lineage: Lineage | None) -> dict[str, object] | None:
    """A lineage of a few short names and plain values.

    Raises:
        InvalidInput: it has too many, too long, or nested ones.
    """
    if lineage is None:
        return None
    if len(lineage) > MOST_LINEAGE:
        raise InvalidInput(f"A lineage has at most {MOST_LINEAGE} entries.")
    for name, value in lineage.items():
        plain = isinstance(value, str | int | float | bool)
        fits = len(str(name)) <= LONGEST_LINEAGE
        if not plain or not fits or len(str(value)) > LONGEST_LINEAGE:
            raise InvalidInput(
                f"lineage {str(name)[:40]!r}: give a text or number of at most "
                f"{LONGEST_LINEAGE} characters."
            )
    return dict(lineage)


def _differences(old: ModelSpec, new: ModelSpec) -> list[str]:
    names = [f.name for f in fields(ModelSpec)]
    return [n for n in names if getattr(old, n) != getattr(new, n)]
