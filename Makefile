# make            what there is
# make run        set up and serve on http://127.0.0.1:8050
# make test       set up and run every test
PYTHON ?= python3
BIN := .venv/bin
SOURCES := client/iotsphere_client app.py bootstrap.py bootstrap_alerts.py bootstrap_desk.py bootstrap_notify.py bootstrap_reports.py bootstrap_rules.py bootstrap_first.py bootstrap_worker.py cli.py cli_alerts.py cli_devices.py cli_models.py cli_reports.py launch.py launch_demo.py reporting.py settings.py settings_checks.py api callbacks dashboards data services workers
.DEFAULT_GOAL := help

.PHONY: help setup setup-dev run test check fix docs bench faults fuzz vendor

help:  ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.venv/ready: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -r requirements.txt
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.txt
	$(BIN)/python -m pip install -q -r requirements-dev.txt
	@touch $@

setup: .venv/ready  ## Install the program into .venv

setup-dev: .venv/ready-dev  ## Install what development needs too

run: setup vendor  ## Serve the dashboards on 127.0.0.1:8050 with the demo fleet
	$(BIN)/python app.py

test: setup-dev vendor  ## Install what the tests need and run them all
	sh tools/install-test-tools.sh
	$(BIN)/python -m pytest -q -p no:cacheprovider -n 2 --dist loadfile --no-loadscope-reorder -m "not browser"
	# A browser that was too slow once is asked once more, alone; both runs are printed.
	$(BIN)/python -m pytest -q -m browser || $(BIN)/python -m pytest -q -m browser --last-failed --last-failed-no-failures none

check: setup-dev  ## Format, lint, types, arrows and the fast tests
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -p no:cacheprovider -n 2 --dist loadfile -m "not browser and not postgres" tests/rules tests/dashboards tests/services/tank

fix: setup-dev  ## Format and mend what can be mended
	$(BIN)/ruff format -q .
	$(BIN)/ruff check -q --fix .

docs: setup-dev  ## Write the generated pages anew
	$(BIN)/python -m tools.docs

bench: setup-dev  ## Measure; ONLY=group picks one; writes var/bench.json
	$(BIN)/python -m benchmarks $(ONLY)

faults: setup-dev  ## Hit worker, broker and disk 900 times and count what is lost
	IOTSPHERE_KILLS=200 IOTSPHERE_MQTT_FAULTS=40 $(BIN)/python -m pytest -q -s tests/faults

fuzz: setup-dev  ## Give the parser of devices' messages 60,000 random ones
	IOTSPHERE_FUZZ_CASES=60000 $(BIN)/python -m pytest -q -p no:cacheprovider tests/services/test_messages.py

vendor: var/vendor/ready  ## Build the small chart library where Node is installed

var/vendor/ready: tools/vendor/build.py tools/vendor/package.json | .venv/ready
	$(BIN)/python tools/vendor/build.py var/vendor
	@touch $@
