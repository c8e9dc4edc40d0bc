"""Bulk commands: one wish for the heaters a filter finds, in three stages.

1 % of the heaters (at least one), then up to 10 %, then all. The next stage begins
when every command of the last has ended; too many refused or timed out stop it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from data.bulk_store import BulkStore, Job, Target
from data.command_store import CommandStore
from data.device_store import DeviceStore
from data.records import Device
from data.session import Transaction
from data.talk_records import Command
from services.access import Principal, Role, requires
from services.audit import Audit
from services.bulk_views import (
    MOST_LISTED,
    STAGES,
    BulkPreview,
    BulkView,
    Left,
    Stage,
    left_out,
    stage_sizes,
    stages_of,
)
from services.controls import Controls
from services.errors import (
    Conflict,
    InvalidInput,
    NeedsConfirmation,
    NotFound,
    ServiceError,
)
from services.fleet import Fleet, FleetQuery
from services.wishes import clean, judge

BULK_KEYS = ("target_temperature_c", "mode")
STOP_SHARE = 0.1
ASKED_AT_ONCE = 50
"""Each wish is a synced transaction; between portions the job is looked at anew."""
MOST_IDS = 10_000


class Halted(Exception):
    """The job was stopped meanwhile."""


class Bulk:
    """Starts, shows and stops bulk commands; the worker moves them on."""

    def __init__(
        self,
        fleet: Fleet,
        device_store: DeviceStore,
        store: BulkStore,
        commands: CommandStore,
        controls: Controls,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._fleet = fleet
        self._devices = device_store
        self._store = store
        self._commands = commands
        self._controls = controls
        self._audit = audit
        self._clock = clock

    def preview(
        self, caller: Principal, key: str, value: object, query: FleetQuery
    ) -> BulkPreview:
        """What starting would do, without wishing anything.

        Raises:
            InvalidInput: key or value is not possible.
        """
        requires(caller, "device.control")
        return self._preview(caller, key, self._wanted(key, value), query)[0]

    def start(
        self,
        caller: Principal,
        key: str,
        value: object,
        query: FleetQuery,
        *,
        filter_text: str = "",
        confirmed: bool = False,
        stop_share: float = STOP_SHARE,
    ) -> BulkView:
        """Begin a bulk command; the worker asks the first heaters at once.

        Args:
            caller: needs ``device.control``.
            key: one of ``BULK_KEYS``.
            value: what is wished.
            query: which heaters; its page does not matter.
            filter_text: the query as an address says it, for the record.
            confirmed: what the safety rules ask has been answered with yes.
            stop_share: stops when more than this share of a stage fails, 0..1.

        Raises:
            InvalidInput: key, value or share is not possible, or no heater takes it.
            NeedsConfirmation: a safety rule asks first.
            Conflict: another bulk command is running.
        """
        requires(caller, "device.control")
        wanted = self._wanted(key, value)
        if not 0.0 <= stop_share <= 1.0:
            raise InvalidInput("stop_share must be a share from 0 to 1.")
        plan, ids = self._preview(caller, key, wanted, query)
        if not ids:
            why = plan.refused[0].reason if plan.refused else "none passes the filter."
            raise InvalidInput(f"No heater can be asked: {why}")
        if plan.ask and not confirmed:
            raise NeedsConfirmation(f"{plan.asked} heaters: {plan.ask}")
        job = Job(
            key, wanted, filter_text[:2_000], caller.username, self._clock(),
            "running", 1, stop_share,
        )  # fmt: skip
        stages = [
            n for n, size in zip(STAGES, plan.stages, strict=True) for _ in range(size)
        ]
        targets = [(i, n, "") for i, n in zip(ids, stages, strict=True)]
        targets += [(left.device_id, 0, left.reason) for left in plan.refused]
        with self._store.transaction() as tx:
            if self._store.any_running(tx):
                raise Conflict(
                    "Another bulk command is running: wait for its end or stop it."
                )
            made = self._store.add(tx, job, targets)
            detail = {key: wanted, "heaters": plan.asked, "filter": job.filter}
            self._audit.record(tx, caller, "bulk.start", str(made), detail)
        return self.of(caller, made)

    def stop(self, caller: Principal, job_id: int) -> BulkView:
        """Ask no further heater; what was asked already stays asked.

        Raises:
            NotFound: there is no such job.
            Conflict: it has ended already.
        """
        requires(caller, "device.control")
        self._get(job_id)
        reason = f"stopped by {caller.username}"
        with self._store.transaction() as tx:
            if not self._store.end(tx, job_id, "stopped", reason, self._clock()):
                raise Conflict("This bulk command has ended already.")
            self._audit.record(tx, caller, "bulk.stop", str(job_id))
        return self.of(caller, job_id)

    def of(self, caller: Principal, job_id: int) -> BulkView:
        """A bulk command as it stands.

        Raises:
            NotFound: there is no such job.
        """
        requires(caller, "fleet.read")
        job = self._get(job_id)
        targets, commands = self._known(job)
        left = left_out(targets, commands)
        return BulkView(
            job=job,
            stages=stages_of(targets, commands),
            left=left[:MOST_LISTED],
            left_total=len(left),
            may_stop=job.state == "running" and caller.may("device.control"),
        )

    def recent(self, caller: Principal, limit: int = 20) -> tuple[Job, ...]:
        """The newest bulk commands first."""
        requires(caller, "fleet.read")
        return tuple(self._store.recent(limit))

    def step(self) -> int:
        """Move every running job on; how many heaters were asked."""
        return sum(self._advance(job) for job in self._store.running())

    def _advance(self, job: Job) -> int:
        targets, commands = self._known(job)
        stage = stages_of(targets, commands)[job.stage - 1]
        if stage.failed_share > job.stop_share:
            self._end(job, "stopped", _too_many(stage, job))
            return 0
        if stage.not_yet:
            waiting = [
                t
                for t in targets
                if t.stage == job.stage and not t.reason and t.device_id not in commands
            ]
            return self._ask(job, waiting[:ASKED_AT_ONCE])
        if stage.open:
            return 0
        if job.stage == STAGES[-1]:
            self._end(job, "done", "")
            return 0
        with self._store.transaction() as tx:
            self._store.move(tx, job.id, job.stage + 1)
        return 0

    def _ask(self, job: Job, targets: list[Target]) -> int:
        who = Principal(job.asked_by, Role.OPERATOR)

        def still(tx: Transaction) -> None:
            if not self._store.runs(tx, job.id, job.stage):
                raise Halted

        asked = 0
        for target in targets:
            try:
                self._controls.ask(
                    who, target.device_id, {job.key: job.value},
                    confirmed=True, job_id=job.id, also=still,
                )  # fmt: skip
                asked += 1
            except Halted:
                break
            except ServiceError as error:
                left = Target(job.id, target.device_id, target.stage, str(error))
                with self._store.transaction() as tx:
                    self._store.leave_out(tx, [left])
        return asked

    def _end(self, job: Job, state: str, reason: str) -> None:
        with self._store.transaction() as tx:
            self._store.end(tx, job.id, state, reason, self._clock())

    def _known(self, job: Job) -> tuple[list[Target], dict[str, Command]]:
        commands = {c.device_id: c for c in self._commands.of_job(job.id)}
        return self._store.targets(job.id), commands

    def _get(self, job_id: int) -> Job:
        job = self._store.get(job_id)
        if job is None:
            raise NotFound(f"There is no bulk command {job_id}.")
        return job

    def _wanted(self, key: str, value: object) -> object:
        if key not in BULK_KEYS:
            raise InvalidInput(f"key must be one of {', '.join(BULK_KEYS)}.")
        if value is None:
            raise InvalidInput("Say what is wished.")
        return clean({key: value}, self._clock())[key]

    def _preview(
        self, caller: Principal, key: str, wanted: object, query: FleetQuery
    ) -> tuple[BulkPreview, list[str]]:
        """The preview, and the heaters that can be asked: reachable ones first."""
        rows = self._fleet.found(caller, query)
        if len(rows) > MOST_IDS:
            raise InvalidInput(f"A bulk command reaches at most {MOST_IDS} heaters.")
        ordered = sorted(rows, key=lambda r: (r.connectivity != "online", r.device_id))
        known = {d.id: d for d in self._devices.some([r.device_id for r in rows])}
        refused: list[Left] = []
        ids: list[str] = []
        asks: dict[str, None] = {}
        for device in (known[r.device_id] for r in ordered if r.device_id in known):
            why, ask = _ruled(device, key, wanted)
            if why:
                refused.append(Left(device.id, "not asked", why))
                continue
            ids.append(device.id)
            asks[ask] = None
        sizes = stage_sizes(len(ids)) if ids else (0, 0, 0)
        words = " ".join(ask for ask in asks if ask)
        return BulkPreview(len(rows), sizes, tuple(refused), words), ids


def _ruled(device: Device, key: str, wanted: object) -> tuple[str, str]:
    """Why a device is not asked, and what is to be confirmed for it."""
    if device.life_cycle != "active":
        return f"{device.name} is {device.life_cycle} and takes no command.", ""
    ruling = judge(device, key, wanted)
    return ruling.refused, ruling.ask


def _too_many(stage: Stage, job: Job) -> str:
    return (
        f"{stage.failed} of {stage.heaters} heaters of stage {stage.number} refused or "
        f"did not answer: more than {job.stop_share:.0%}"
    )
