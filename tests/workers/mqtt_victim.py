"""The process that the MQTT test kills: the worker's MQTT part alone."""

from __future__ import annotations

import sys
from threading import Event

import bootstrap
import bootstrap_worker
from settings import Settings


def main() -> None:
    """Work with the settings of the environment until killed."""
    settings = Settings()
    services = bootstrap.build(settings)
    print("ready", flush=True)
    bootstrap_worker.build_mqtt_loop(settings, services).run(Event())


if __name__ == "__main__":
    sys.exit(main())
