"""Row-level loss estimates of regressions, learnt once per reference."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.model_records import LABEL, Model, ReferenceRecord
from data.recount import Estimate
from data.reference_rows import reference_frame
from services.stats.dle import LossEstimator

LEARN_ROWS = 20_000
FEWEST_LABELS = 200
MOST_KNOWN = 64


class LossEstimates:
    """Gives each version the estimator that its reference teaches."""

    def __init__(self) -> None:
        self._known: dict[int, Estimate | None] = {}

    def of(self, model: Model, record: ReferenceRecord) -> Estimate | None:
        """The estimator, or ``None``: no regression, or too few reference labels."""
        if model.spec.kind != "regression" or record.labelled < FEWEST_LABELS:
            return None
        if record.id not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[record.id] = _learn(model, record)
        return self._known[record.id]


def _learn(model: Model, record: ReferenceRecord) -> Estimate | None:
    try:
        frame = reference_frame(record.path, LEARN_ROWS)
    except FileNotFoundError:
        return None  # the flusher says so
    live = [(f"f{i}", f) for i, f in enumerate(model.spec.features) if not f.retired]
    names = [column for column, _ in live if column in frame] + ["prediction"]
    categorical = [c for c, f in live if f.type == "categorical" and c in frame]
    error = (frame["prediction"] - frame[LABEL]).to_numpy(dtype=np.float64)
    try:
        learnt = LossEstimator.fit(frame[names], error, categorical=categorical)
    except ValueError:
        return None  # too few labels in the sample: nothing is estimated

    def estimate(batch: pa.RecordBatch) -> dict[str, npt.NDArray[np.float64]]:
        rows = batch.select(names).to_pandas()
        absolute, squared = learnt.estimate(rows)
        return {"estimated_abs": absolute, "estimated_squared": squared}

    return estimate
