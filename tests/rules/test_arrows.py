"""Who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ONLY = {
    "pydantic_settings": {"settings.py"},
    "typer": {
        "cli.py",
        "cli_alerts.py",
        "cli_devices.py",
        "cli_models.py",
        "cli_reports.py",
        "tools/docs.py",
    },
    "sklearn": {"services/stats/boosting.py"},
    "yaml": {"services/model_spec.py"},
    "duckdb": {"data"},
    "sqlalchemy": {"data"},
    "alembic": {"data"},
    "jwt": {"services/tokens.py"},
    "httpx": {"services/webhooks.py"},
    "smtplib": {"services/mail.py"},
    "cronsim": {"services/reports/cron.py"},
    "paho": {"workers/mqtt_connection.py"},
    "reportlab": {
        "services/reports/charts.py",
        "services/reports/fonts.py",
        "services/reports/pdf.py",
        "services/reports/pdf_blocks.py",
        "services/reports/pdf_pages.py",
        "services/reports/pdf_table.py",
        "services/reports/text.py",
    },
    "uharfbuzz": {"services/reports/fonts.py"},
}


def imported(file: Path) -> set[str]:
    """The top-level packages a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_the_arrows_are_kept() -> None:
    """import-linter finds no broken contract."""
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert run.returncode == 0, run.stdout


def test_each_outside_part_has_one_home() -> None:
    """A library with a single home is imported nowhere else."""
    strays = []
    for file in ROOT.rglob("*.py"):
        place = file.relative_to(ROOT)
        if place.parts[0] in {"tests", "benchmarks", "client", "var", ".venv"}:
            continue
        for package in imported(file) & ONLY.keys():
            homes = ONLY[package]
            if str(place) not in homes and place.parts[0] not in homes:
                strays.append(f"{place} imports {package}")

    assert strays == []


def test_importing_the_application_builds_nothing() -> None:
    """``import app`` opens no store and registers no callback."""
    code = (
        "import app, dash, pathlib;"
        "assert not dash._callback.GLOBAL_CALLBACK_LIST;"
        "assert not pathlib.Path('var').exists()"
    )
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[0] = {str(ROOT)!r}; {code}"],
        cwd=ROOT / "tests" / "rules", capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert run.returncode == 0, run.stderr
