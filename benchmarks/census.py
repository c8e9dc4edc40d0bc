"""US census employment: real rows whose inputs drift and whose accuracy does not.

The set is not part of the product: a folder with ``reference.parquet``,
``analysis.parquet`` and ``analysis_targets.parquet``, named by IOTSPHERE_CENSUS_DIR or
found beside the repository. Rows go the whole way of the product, in 42 windows.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sklearn.metrics import roc_auc_score

from data.counts import cells_of, counts_of
from data.model_records import Columns, Feature, ModelSpec
from data.profiles import Profiler
from data.reference_grid import reference_grid
from services.monitoring.evidence import Inputs, gather
from services.monitoring.importance import measured_importance
from services.monitoring.outcomes import OutcomeSeries
from services.monitoring.verdict import Verdict, verdict

BESIDE = Path(__file__).parents[2] / "shared" / "data" / "employment_ma"
WINDOW_ROWS = 5_000
OWN = ("id", "employed", "year", "prediction", "predicted_probability")
SPARED = frozenset({"none", "low"})


@dataclass(frozen=True, eq=False)
class Census:
    """What was found in each window; ``auc`` is exact, from the rows themselves."""

    outcomes: OutcomeSeries
    verdicts: tuple[Verdict, ...]
    auc: npt.NDArray[np.float64]

    def errors(self) -> dict[str, float]:
        """Mean absolute error of the estimated accuracy and AUC over the windows."""
        accuracy = self.outcomes.metrics["accuracy"]
        area = self.outcomes.metrics["auc"].estimated
        real = [found.value for found in accuracy.realised]
        return {
            "accuracy": _error([e.value for e in accuracy.estimated], real),
            "auc": _error([e.value for e in area], list(self.auc)),
        }

    def outside(self) -> int:
        """Windows whose realised accuracy leaves the band around its estimate."""
        return sum(bool(g.outside) for g in self.outcomes.metrics["accuracy"].gaps)

    def alerts(self) -> int:
        """Windows with a verdict above "low"."""
        return sum(found.severity not in SPARED for found in self.verdicts)


def _error(guessed: Sequence[float | None], came: Sequence[float | None]) -> float:
    pairs = np.array([guessed, came], dtype=np.float64)
    return float(np.abs(pairs[0] - pairs[1]).mean())


def folder() -> Path | None:
    """Where the set is, if it is anywhere."""
    found = Path(os.environ.get("IOTSPHERE_CENSUS_DIR", BESIDE))
    return found if found.joinpath("reference.parquet").exists() else None


def census(found: Path) -> Census:
    """Count, score and judge the set."""
    known = pd.read_parquet(found / "reference.parquet")
    targets = pd.read_parquet(found / "analysis_targets.parquet")
    later = pd.read_parquet(found / "analysis.parquet").merge(targets, on="id")
    later = later.sort_values("id")
    features = [name for name in known.columns if name not in OWN]
    spec = _spec(known, features)
    base = _table(known, features)
    grid = reference_grid(spec, base)
    place = np.arange(len(later)) // WINDOW_ROWS
    windows = int(place[-1]) + 1
    first, rest = Profiler(spec, grid, 1), Profiler(spec, grid, windows)
    first.add(base, np.zeros(len(known), dtype=np.int64))
    rest.add(_table(later, features), place)
    inputs = Inputs(
        spec, grid,
        counts_of(grid, first.histograms(), 1),
        counts_of(grid, rest.histograms(), windows),
        cells_of(spec, grid, first.outcomes(), 1),
        cells_of(spec, grid, rest.outcomes(), windows),
        tuple(f"f{i}" for i in range(len(features))),
        measured_importance(spec, base),
    )  # fmt: skip
    gathered = gather(inputs)
    verdicts: list[Verdict] = []
    for one in gathered.evidence:
        verdicts.append(verdict(one, verdicts[-3:]))
    areas = [
        roc_auc_score(rows["employed"], rows["predicted_probability"])
        for _, rows in later.groupby(place)
    ]
    return Census(gathered.outcomes, tuple(verdicts), np.array(areas))


def _spec(known: pd.DataFrame, features: list[str]) -> ModelSpec:
    types = [
        "numeric" if pd.api.types.is_numeric_dtype(known[name]) else "categorical"
        for name in features
    ]
    columns = Columns(scores={"1": "predicted_probability"}, label="employed")
    return ModelSpec(
        "census", "binary",
        tuple(Feature(n, t) for n, t in zip(features, types, strict=True)),
        columns=columns, classes=("0", "1"), positive="1",
    )  # fmt: skip


def _table(rows: pd.DataFrame, features: list[str]) -> pa.Table:
    """The rows in canonical columns."""
    made = {}
    for place, name in enumerate(features):
        column = rows[name]
        if not pd.api.types.is_numeric_dtype(column):
            column = column.astype("str")
        made[f"f{place}"] = pa.array(column, from_pandas=True)
    classes = {"prediction": rows["prediction"], "label": rows["employed"]}
    texts = {n: pa.array(c.astype("str"), pa.string()) for n, c in classes.items()}
    score = rows["predicted_probability"].to_numpy()
    return pa.table({**made, **texts, "s0": score})
