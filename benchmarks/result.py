"""One measured number with its bar, and the table of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Result:
    """A measured value against its bar; ``baseline`` is measured in the same run.

    ``at_least`` says that more is better.
    """

    group: str
    name: str
    value: float
    unit: str
    bar: float | None = None
    baseline: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; ``None`` without a bar."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def as_row(self) -> dict[str, object]:
        """The form written to ``var/bench.json``."""
        row = asdict(self) | {"met": self.met}
        del row["at_least"]
        return row


def median_ms(call: Callable[[], object], times: int = 15, warm: int = 3) -> float:
    """The median time of a call in milliseconds, after warming up."""
    for _ in range(warm):
        call()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begun) * 1_000)
    return median(taken)


def show(results: list[Result]) -> None:
    """Print the table."""
    table = Table("Group", "Measure", "Value", "Bar", "Met", "Baseline")
    for r in results:
        sign = "≥" if r.at_least else "≤"
        bar = f"{sign} {r.bar:g} {r.unit}" if r.bar is not None else "–"
        met = {True: "yes", False: "NO", None: "–"}[r.met]
        base = f"{r.baseline:.3g}" if r.baseline is not None else "–"
        table.add_row(r.group, r.name, f"{r.value:.4g} {r.unit}", bar, met, base)
    Console(width=120).print(table)
