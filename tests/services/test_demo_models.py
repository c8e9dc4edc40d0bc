"""The demo's models on real stores: honestly trained, logged as time allows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from data.flush import Flusher
from data.inference_flush import InferenceFlusher
from data.inference_lake import InferenceLake
from data.judgement_store import JudgementStore
from data.model_store import ModelStore
from data.records import Device, LabelledFault
from data.spec_json import spec_to_json
from services import demo_models
from services.access import SYSTEM
from services.demo_causes import FIRMWARE_FROM, WORLDS
from services.demo_day_models import (
    DAY_MODELS,
    HeaterDayModel,
    element_fault,
    trained_at,
)
from services.demo_heater_days import heater_days
from services.demo_models import DemoModels
from services.demo_worlds import REFERENCE, TRAINED_ON, GeneratedModel
from services.errors import Forbidden
from services.inferences import Inferences
from services.model_spec import read_document
from services.models import Models
from settings import Settings
from tests.conftest import NOW, VIEWER, Clock, Stores, open_stores, readings
from workers.demo_models import DemoModelsLoop

START = date(2025, 3, 10)
GENERATED = ("draw-pattern", "scale-build-up", "anode-wear")
HISTORY_DAYS, HEATERS, FAULTY_FROM_DAY = 75, 8, 20
DAY = timedelta(days=1)


class Bench:
    """Stores with everything the demo's models need."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.store = ModelStore(stores.hot._engine)
        self.lake = InferenceLake(stores.reader)
        self.waiting = False

    def models(self) -> DemoModels:
        """As a fresh process would build them."""
        s = self.stores
        judgements = JudgementStore(s.hot._engine)
        return DemoModels(
            Models(self.store, judgements, self.lake, s.audit, s.clock),
            Inferences(self.store, s.audit, s.settings, s.clock),
            s.metrics,
            s.device_store,
            state_file=self.state_file,
            seed=42,
            clock=s.clock,
            waits=lambda: self.waiting,
        )

    @property
    def state_file(self):
        """Where it is kept what was logged."""
        return self.stores.settings.home_dir / "demo_models.json"

    def count(self) -> None:
        """Bring the rows to the lake and count them."""
        flusher = Flusher(self.stores.settings, self.stores.hot)
        moved = InferenceFlusher(
            self.stores.settings, self.store, flusher.connection, lambda *_: None
        )
        while moved.pending():
            moved.flush()
        flusher.close()

    def rows(self, name: str, version: str = "1") -> int:
        """Counted predictions of a model."""
        model = self.store.model(name)
        assert model is not None
        return self.lake.totals(model.id, version)[0]

    def receipts(self, name: str):
        """What became of the deliveries of a model, newest first."""
        model = self.store.model(name)
        assert model is not None
        return [d.receipt for d in self.store.delivered(model.id, 100)]


@pytest.fixture
def bench(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """No heater; generated models that have been live for two weeks only."""
    monkeypatch.setattr(demo_models, "LIVED", timedelta(weeks=2))
    return Bench(stores)


@pytest.fixture(scope="module")
def heated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Eight heaters with 75 days of readings, two with a weak element from day 20."""
    home = tmp_path_factory.mktemp("heated") / "var"
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    for stores in open_stores(settings, Clock()):
        for number in range(HEATERS):
            _lived(stores, number)
        stores.flush()
        yield Bench(stores)


def _lived(stores: Stores, number: int) -> None:
    """Register a heater and send its readings, one each quarter of an hour."""
    name, start = f"h-{number}", NOW - HISTORY_DAYS * DAY
    stores.add(
        Device(
            id=name, name=name, type="electric", capacity_l=200, rated_power_w=3000,
            modes=("electric",), setpoint_min_c=40, setpoint_max_c=65, simulated=True,
            reporting_interval_s=900, installed_on=date(2020, 1, 1),
        )
    )  # fmt: skip
    count, rng = HISTORY_DAYS * 96, np.random.default_rng(number)
    weak = (number < 2) & (np.arange(count) >= FAULTY_FROM_DAY * 96)
    power = np.where(rng.random(count) < 0.2, np.where(weak, 1500.0, 3000.0), 0.0)
    power += rng.random(count)
    frame = readings(
        name, start, HISTORY_DAYS * 1440, step_s=900,
        temperature_c=54 - 9 * weak + rng.normal(size=count),
        target_temperature_c=55.0,
        inlet_temperature_c=11 + 0.2 * rng.normal(size=count),
        ambient_temperature_c=20 + 0.2 * rng.normal(size=count),
        flow_lpm=np.where(rng.random(count) < 0.1, 5.0, 0.0),
        power_w=power, energy_kwh=100 + np.cumsum(power) / 4000, mode="electric",
    )  # fmt: skip
    stores.telemetry.accept_bulk(SYSTEM, frame)
    if number < 2:
        begun = start + FAULTY_FROM_DAY * DAY
        fault = LabelledFault(name, "element_weak", begun, None, "made for the test")
        with stores.device_store.transaction() as tx:
            stores.device_store.add_labelled_faults(tx, [fault])


@pytest.mark.parametrize("world", WORLDS, ids=GENERATED)
def test_a_day_generated_again_is_the_same_day(world):
    """A day asked for alone has the very rows it has within a longer stretch."""
    model = GeneratedModel(world, 42, START)
    long = model.predictions(START, START + 5 * DAY)
    alone = GeneratedModel(world, 42, START).predictions(
        START + 3 * DAY, START + 4 * DAY
    )
    day = long[long["ts"].dt.date == START + 3 * DAY].reset_index(drop=True)
    assert len(alone) > 50
    pd.testing.assert_frame_equal(alone, day)
    other = GeneratedModel(world, 43, START).predictions(START, START + DAY)
    numeric = world.spec.features[0].name
    assert list(other[numeric][:50]) != list(long[numeric][:50])


@pytest.mark.parametrize("world", WORLDS, ids=GENERATED)
def test_training_reference_and_life_do_not_overlap(world):
    """Each part begins when the labels of the part before it are all known."""
    least, further = world.label_days
    latest = least + 4 * further
    assert TRAINED_ON[1] + latest <= REFERENCE[0]
    assert REFERENCE[1] + latest <= 0
    later = world.challenger
    if later is not None:
        assert later.trained_on[1] + latest <= later.first
        assert later.trained_on[1] <= later.reference[0]
        assert later.reference[1] + latest <= later.first


@pytest.mark.parametrize("world", WORLDS, ids=GENERATED)
def test_labels_come_once_and_when_they_are_known(world):
    """Day by day the same labels come as at once, none before its time."""
    model, until = GeneratedModel(world, 42, START), START + 30 * DAY
    whole = model.labels(START, until)
    parts = [model.labels(START + n * DAY, START + (n + 1) * DAY) for n in range(30)]
    daily = pd.concat(parts)
    columns = world.spec.columns
    assert len(whole) > 500
    assert daily[columns.id].is_unique
    assert set(daily[columns.id]) == set(whole[columns.id])
    assert whole["known_at"].max() <= pd.Timestamp(until)
    made = model.predictions(START, until).drop_duplicates(columns.id)
    both = whole.merge(made, on=columns.id)
    assert len(both) == len(whole)
    late = (both["known_at"] - both["ts"]) / DAY
    assert late.min() >= world.label_days[0]


@pytest.mark.parametrize(
    "spec", [w.spec for w in WORLDS] + [m.spec for m in DAY_MODELS]
)
def test_specifications_are_what_a_model_file_may_say(spec):
    """Each passes the checks of model files, is simulated, and has 8 to 14 features."""
    assert read_document(spec_to_json(spec)) == spec
    assert spec.simulated
    assert 8 <= len(spec.features) <= 14


def test_scale_build_up_changes_its_relation_and_not_its_inputs():
    """From week 39 accuracy falls by a tenth and more; inputs keep their means."""
    model = GeneratedModel(WORLDS[1], 42, START)
    before, after = (_judged(model, weeks) for weeks in ((30, 36), (40, 46)))
    assert before[1] - after[1] > 0.1
    for feature in model.spec.features:
        if feature.type == "numeric":
            old, new = before[0][feature.name], after[0][feature.name]
            assert abs(old.mean() - new.mean()) < 0.08 * old.std()


def test_anode_wear_moves_into_hard_cases_then_loses_a_column():
    """Accuracy falls with the inputs, version 2 is better, and 40 % go missing."""
    model = GeneratedModel(WORLDS[2], 42, START)
    before, after = (_judged(model, weeks) for weeks in ((20, 25), (36, 42)))
    assert before[1] - after[1] > 0.08
    assert _judged(model, (36, 42), "2")[1] - after[1] > 0.015
    assert before[0]["anode_current_ma"].notna().all()
    last = _judged(model, (int(FIRMWARE_FROM), 52))[0]
    assert last["anode_current_ma"].isna().mean() == pytest.approx(0.4, abs=0.05)


def _judged(model: GeneratedModel, weeks: tuple[int, int], version: str = "1"):
    """The rows of some weeks with their labels, and the accuracy."""
    first, last = (START + timedelta(weeks=w) for w in weeks)
    columns = model.spec.columns
    rows = model.predictions(first, last)
    rows = rows[rows["version"] == version]
    both = rows.merge(model.labels(first, last + 30 * DAY), on=columns.id)
    assert len(both) > 2_000
    return both, float((both[columns.prediction] == both[columns.label]).mean())


def test_creation_registers_models_and_logs_their_past(bench: Bench):
    """Models, references, lineage and whole deliveries; a second call does nothing."""
    models = bench.models()
    assert not models.exists
    steps: list[tuple[int, int]] = []
    taken = models.create(SYSTEM, progress=lambda *step: steps.append(step))
    assert models.exists
    assert bench.models().exists
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert taken > 3 * 14 * 80
    for name in GENERATED:
        model = bench.store.model(name)
        assert model is not None
        assert model.spec.simulated
        assert model.spec.version == "1"
        for version in bench.store.versions(model.id):
            assert version.lineage["rows"] > 1_000
            record = bench.store.reference(model.id, version.version)
            assert record is not None
            assert record.version == version.version
            assert record.labelled == record.rows > 2_000
        for receipt in bench.receipts(name):
            problems = ("unknown_columns", "missing_columns", "rejected_count")
            assert not any(receipt[name] for name in problems)
            assert receipt["duplicates"] == 0
    assert bench.models().create(SYSTEM) == 0


def test_creation_needs_an_admin(bench: Bench):
    """A viewer can neither create the models nor log for them."""
    with pytest.raises(Forbidden):
        bench.models().create(VIEWER)
    with pytest.raises(Forbidden):
        bench.models().advance(VIEWER)


def test_interrupted_creation_logs_nothing_twice(bench: Bench):
    """Killed before it noted what it sent, it sends it again, and it counts once."""

    def killed(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.models().create(SYSTEM, progress=killed)
    assert not bench.models().exists
    state = json.loads(bench.state_file.read_text())
    state["until"]["draw-pattern"] = state["start"]
    bench.state_file.write_text(json.dumps(state))
    bench.models().create(SYSTEM)
    counted_once(bench, NOW.date())


def counted_once(bench: Bench, until: date) -> None:
    """All predictions of the days before ``until`` are in the lake, each once."""
    bench.count()
    start = date.fromisoformat(json.loads(bench.state_file.read_text())["start"])
    for world in WORLDS:
        made = GeneratedModel(world, 42, start).predictions(start, until)
        assert bench.rows(world.spec.name) == (made["version"] == "1").sum()


def test_days_missed_are_made_up_after_a_pause(bench: Bench):
    """Nothing new the same day; three days later three days of all models, once."""
    bench.models().create(SYSTEM)
    loop = DemoModelsLoop(bench.models())
    assert loop.step() == 0
    bench.stores.clock.forward(days=3)
    assert DemoModelsLoop(bench.models()).step() > 3 * 3 * 80
    assert loop.step() > 0  # a second process that knows nothing of it sends them too
    counted_once(bench, NOW.date() + 3 * DAY)


def test_a_refused_delivery_ends_no_process(bench: Bench):
    """A model that somebody gave other columns is told of; the loop goes on."""
    bench.models().create(SYSTEM)
    model = bench.store.model("draw-pattern")
    assert model is not None
    columns = replace(model.spec.columns, prediction="answer")
    with bench.store.transaction() as tx:
        bench.store.replace(tx, model, replace(model.spec, columns=columns), NOW)
    bench.stores.clock.forward(days=1)
    assert DemoModelsLoop(bench.models()).step() == 0


def test_heater_days_agree_with_the_products_own_numbers(heated: Bench):
    """Energy, water and starts of a heater's day are those of ``Metrics.usage``."""
    stores, day = heated.stores, NOW.date() - 3 * DAY
    devices = stores.device_store.all()
    days = heater_days(stores.metrics, devices, day, day + DAY)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    usage = stores.metrics.usage(devices, start, start + DAY)
    assert len(days) == HEATERS
    for row in days.itertuples():
        one = usage[row.device_id]
        assert row.energy_kwh == pytest.approx(one.energy_kwh)
        assert row.drawn_l == pytest.approx(one.volume_l)
        assert row.starts == one.cycles
    hot = days[days["device_id"] == "h-5"].iloc[0]
    assert hot["temperature_mean_c"] == pytest.approx(54, abs=0.5)
    assert hot["heating_power_share"] == pytest.approx(1.0, abs=0.02)


def test_heater_day_models_are_trained_on_early_days_only(heated: Bench):
    """Both are made, log only days after their references, and labels on time."""
    models = heated.models()
    models.create(SYSTEM)
    state = json.loads(heated.state_file.read_text())
    by_name = {s.spec.name: s for s in models._sources}
    for spec, late in ((m.spec, m.known_after_days) for m in DAY_MODELS):
        source, trained = (
            by_name[spec.name],
            date.fromisoformat(state["trained"][spec.name]),
        )
        assert trained >= date.fromisoformat(state["begun"]) + 45 * DAY
        assert source.first == trained + 14 * DAY
        reference = source.reference("1")
        assert reference["day"].min().date() == trained
        assert reference["day"].max().date() < source.first
        known = source.labels(source.first, NOW.date())
        made = source.predictions(source.first, NOW.date())
        assert made["ts"].max() == pd.Timestamp(NOW.date())
        both = known.merge(made, on="prediction_id", suffixes=("_told", ""))
        assert len(both) == len(known) > 0
        assert ((both["known_at"] - both["ts"]) / DAY == late).all()
        week = [NOW.date() - n * DAY for n in range(7, -1, -1)]
        daily = [source.labels(*two) for two in pairwise(week)]
        told = known["known_at"] > pd.Timestamp(week[0])
        assert list(pd.concat(daily)["prediction_id"]) == list(
            known.loc[told, "prediction_id"]
        )
    weak = by_name["element-failure-risk"].predictions(NOW.date() - DAY, NOW.date())
    said = weak.set_index("device_id")["prediction"]
    assert set(said[said == "fault"].index) == {"h-0", "h-1"}


def test_next_days_energy_is_what_the_meter_says(heated: Bench):
    """The label of a day is the energy used on the day after it."""
    stores, day = heated.stores, NOW.date() - 4 * DAY
    devices = stores.device_store.all()
    days = heater_days(stores.metrics, devices, day, day + 2 * DAY)
    label = DAY_MODELS[1].label(days, [])
    used = days.set_index(["device_id", "day"])["energy_kwh"]
    first = days["day"] == np.datetime64(day)
    for place in np.flatnonzero(first):
        key = days["device_id"][place], pd.Timestamp(day + DAY)
        assert label[place] == used[key]
    assert label[~first].isna().all()


def test_days_without_readings_send_nothing(heated: Bench):
    """A stretch in which no heater was heard of gives no rows and no labels."""
    source = heated.models()._days
    begun, trained = NOW.date() - 70 * DAY, NOW.date() - 25 * DAY
    later = NOW.date() + 30 * DAY
    for model in DAY_MODELS:
        found = HeaterDayModel(model, source, 42, begun, trained)
        assert len(found.predictions(later, later + 5 * DAY)) == 0
        assert len(found.labels(later, later + 5 * DAY)) == 0


def test_no_day_is_over_while_readings_wait(heated: Bench):
    """Readings on their way to the lake hold the heaters' models back."""
    heated.waiting = True
    source = heated.models()._days
    assert source.over() is None
    heated.waiting = False
    assert source.over() == NOW.date()


def test_faults_are_labelled_a_week_ahead_and_not_after_repair():
    """Eight days before a fault is healthy, six days before it not, repaired again."""
    days = pd.DataFrame(
        {"day": pd.date_range("2026-01-01", periods=30), "device_id": "a"}
    )
    begun, ended = (datetime(2026, 1, d, tzinfo=UTC) for d in (15, 20))
    fault = LabelledFault("a", "element_open", begun, ended, "")
    other = LabelledFault("a", "leak", datetime(2026, 1, 1, tzinfo=UTC), None, "")
    label = element_fault(days, [fault, other])
    found = days["day"][(label == "fault").to_numpy()].dt.day
    # The prediction of a day is made at its end: that of the 8th on the 9th.
    assert (found.min(), found.max()) == (8, 18)


def test_a_short_or_faultless_history_makes_no_model():
    """Sixty days are too few; ninety without a fault train no model of faults."""
    days = pd.DataFrame(
        {"day": pd.date_range("2026-01-01", periods=90), "device_id": "a"}
    )
    rare, energy = DAY_MODELS
    assert trained_at(rare, days, []) is None
    days["covered_s"], days["used_kwh"] = 86_400.0, 5.0
    assert trained_at(energy, days, []) == date(2026, 2, 15)
    assert trained_at(energy, days[:60], []) is None
