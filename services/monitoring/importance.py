"""How much each feature matters to a model that we only see from outside."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from data.model_records import ModelSpec
from services.stats.boosting import Scorer, classifier, regressor, sampled
from services.stats.encoding import Encoder
from services.stats.intervals import Array

LEARN_ROWS = 10_000
JUDGE_ROWS = 3_000
SEED = 7


def measured_importance(spec: ModelSpec, reference: pa.Table) -> Mapping[str, float]:
    """The share of each live feature in what the model does, adding up to 1.

    A stand-in is learnt from the reference: features to the model's own score (or
    prediction). A feature's importance is how far the stand-in's answers move, as root
    mean square, when the feature's values are shuffled.
    Source: L. Breiman, Random Forests, Machine Learning 45 (2001) 5-32, section 10.

    Args:
        spec: the model; features whose owner gave an importance keep it.
        reference: canonical columns.

    Returns:
        Canonical column -> share; empty where the model answers all rows alike.
    """
    live = {f"f{i}": f for i, f in enumerate(spec.features) if not f.retired}
    given = {c: f.importance for c, f in live.items() if f.importance is not None}
    if len(given) == len(live):
        return _shares({c: float(v) for c, v in given.items() if v is not None})
    rng = np.random.default_rng(SEED)
    places = sampled(reference.num_rows, LEARN_ROWS + JUDGE_ROWS, rng)
    rng.shuffle(places)
    frame = (
        reference.select([*live, *_targets(spec, reference)]).take(places).to_pandas()
    )
    categorical = [c for c, f in live.items() if f.type == "categorical"]
    encoder = Encoder.of(frame[list(live)], categorical)
    rows = encoder.encode(frame[list(live)])
    cut = max(len(rows) - JUDGE_ROWS, len(rows) // 2)
    target = _target(spec, frame)
    if np.nanstd(target[:cut]) == 0 or not np.isfinite(target[:cut]).all():
        return {}
    learn = classifier if set(np.unique(target)) <= {0.0, 1.0} else regressor
    scorer = learn(rows[:cut], target[:cut], encoder.is_categorical, SEED)
    return _shares(_moved(scorer, rows[cut:], list(live), rng) | given)


def _targets(spec: ModelSpec, reference: pa.Table) -> list[str]:
    names = [f"s{i}" for i in range(len(spec.scored))]
    return ["prediction", *(n for n in names if n in reference.schema.names)]


def _target(spec: ModelSpec, frame: pd.DataFrame) -> Array:
    """What the stand-in learns: the first score, the number, or the first class."""
    if "s0" in frame and frame["s0"].notna().all():
        return frame["s0"].to_numpy(dtype=np.float64)
    if spec.kind == "regression":
        return frame["prediction"].to_numpy(dtype=np.float64)
    is_first = (frame["prediction"] == spec.tasks[0]).to_numpy()
    return is_first.astype(np.float64)


def _moved(
    scorer: Scorer, rows: Array, names: list[str], rng: np.random.Generator
) -> dict[str, float]:
    before = scorer(rows)
    found = {}
    for place, name in enumerate(names):
        shuffled = rows.copy()
        shuffled[:, place] = rng.permutation(rows[:, place])
        found[name] = float(np.sqrt(np.mean((scorer(shuffled) - before) ** 2)))
    return found


def _shares(sizes: Mapping[str, float | None]) -> dict[str, float]:
    numbers = {name: float(size or 0.0) for name, size in sizes.items()}
    total = sum(numbers.values())
    return {n: size / total for n, size in numbers.items()} if total > 0 else {}
