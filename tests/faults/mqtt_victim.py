"""The process that the MQTT faults hit: the worker's MQTT part and nothing else."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import bootstrap
import bootstrap_worker
from settings import Settings

JUMPS_S = (0, 3_600, -3_600)


def settings(home: Path, port: int, password_file: Path) -> Settings:
    """A worker of its own home at a broker of its own."""
    return Settings(
        home_dir=home,
        secret_key="k7!" + "Zq3xW9vB" * 5,
        mqtt_host="127.0.0.1",
        mqtt_port=port,
        mqtt_username="iotsphere",
        mqtt_password_file=password_file,
    )


def jumping() -> datetime:
    """The present of a clock that is set forward and back each second."""
    now = datetime.now(UTC)
    return now + timedelta(seconds=JUMPS_S[now.second % len(JUMPS_S)])


def main() -> None:
    """Take messages until killed; ``jump`` gives it a clock that is not steady."""
    home, port, password_file, clock = sys.argv[1:5]
    plan = settings(Path(home), int(port), Path(password_file))
    now = jumping if clock == "jump" else bootstrap.utc_now
    loop = bootstrap_worker.build_mqtt_loop(plan, bootstrap.build(plan, now), now)
    print("ready", flush=True)
    loop.run(Event())


if __name__ == "__main__":
    main()
