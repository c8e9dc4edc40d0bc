"""``python -m benchmarks [GROUP…]``: measure, show, write ``var/bench.json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks import (
    alerts,
    control,
    drift,
    estimation,
    history,
    ingest,
    live,
    mqtt,
    reports,
    start,
)
from benchmarks.result import Result, show

GROUPS = {
    "history": history.run,
    "live": live.run,
    "ingest": ingest.run,
    "mqtt": mqtt.run,
    "start": start.run,
    "drift": drift.run,
    "estimation": estimation.run,
    "control": control.run,
    "reports": reports.run,
    "alerts": alerts.run,
}
OUT = Path("var/bench.json")


def main(asked: list[str]) -> int:
    """Run the groups asked for, or all; 2 when a group is unknown."""
    unknown = [name for name in asked if name not in GROUPS]
    if unknown:
        sys.stderr.write(f"unknown group {unknown[0]}; known: {', '.join(GROUPS)}\n")
        return 2
    results: list[Result] = []
    for name in asked or GROUPS:
        results += GROUPS[name]()
    show(results)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([r.as_row() for r in results], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
