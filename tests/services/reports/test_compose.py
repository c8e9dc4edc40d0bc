"""What every report has in common: who may make it, of what, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from data.report_records import TEMPLATES as STORED
from services.access import Principal, Role
from services.errors import Forbidden, InvalidInput, NotFound
from services.reports.compose import MOST_DEVICES, MOST_MODELS, TEMPLATES
from services.reports.document import Document
from services.reports.query import ReportQuery
from services.units import Preferences
from tests.conftest import ADMIN, NOW, OPERATOR, VIEWER, Device, Stores
from tests.services.reports.composing import compose, open_composer

WEEK = timedelta(days=7)
DEVICE = Principal("wh-1", Role.ADMIN, device_id="wh-1")


def report(
    stores: Stores, template: str, caller: Principal = ADMIN, **asked: object
) -> Document:
    """A report on the last week."""
    start, end = asked.pop("start", NOW - WEEK), asked.pop("end", NOW)
    return compose(
        stores.settings, caller, template, start, end, NOW, **asked  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_templates_are_those_that_runs_store() -> None:
    """Every template of the records can be composed, and no other."""
    assert tuple(TEMPLATES) == STORED


@pytest.mark.parametrize("template", STORED)
def test_every_template_says_what_is_missing_in_empty_stores(
    stores: Stores, template: str
) -> None:
    """Without any data there is a document with words, equal when composed again."""
    document = report(stores, template)

    assert document.sections
    assert document == report(stores, template)
    assert dict(document.facts)["Data as of"] == "10 Mar 2026, 12:00 UTC+00:00"


@pytest.mark.parametrize("caller", [VIEWER, OPERATOR])
def test_only_who_reads_the_audit_log_makes_its_report(
    stores: Stores, caller: Principal
) -> None:
    """A viewer and an operator are refused the audit report, whatever its sections."""
    for sections in ((), ("trail",), ("card",)):
        with pytest.raises(Forbidden, match=r"audit\.read"):
            report(stores, "audit", caller, sections=sections)
    assert report(stores, "audit", ADMIN).template == "audit"


@pytest.mark.parametrize("template", STORED)
def test_a_device_makes_no_report(stores: Stores, template: str) -> None:
    """A device's own secret opens none of the templates."""
    with pytest.raises(Forbidden):
        report(stores, template, DEVICE)


def test_unknown_names_are_named(stores: Stores) -> None:
    """Template, section, model and device that do not exist stand in the message."""
    with pytest.raises(InvalidInput, match="no template 'weather'"):
        report(stores, "weather")
    with pytest.raises(InvalidInput, match=r"no section 'sky'.*summary"):
        report(stores, "drift", sections=("sky",))
    with pytest.raises(NotFound, match="no model nobody"):
        report(stores, "performance", models=("nobody",))
    with pytest.raises(NotFound, match="no device 'wh-9'"):
        report(stores, "heater", devices=("wh-9",))
    with pytest.raises(InvalidInput, match="takes no models"):
        report(stores, "fleet", models=("churn",))


def test_ranges_that_cannot_be_answered_are_refused(stores: Stores) -> None:
    """Reversed, too long and future ranges are refused, with the setting named."""
    with pytest.raises(InvalidInput, match="ends before it begins"):
        report(stores, "fleet", start=NOW, end=NOW - WEEK)
    with pytest.raises(InvalidInput, match="IOTSPHERE_REPORT_WINDOW_DAYS"):
        report(stores, "fleet", start=NOW - timedelta(days=1900))
    with pytest.raises(InvalidInput, match="future"):
        report(stores, "fleet", start=NOW + WEEK, end=NOW + 2 * WEEK)


def test_a_range_that_is_not_over_ends_now(stores: Stores) -> None:
    """The title block says until when the numbers are, and the reader's offset."""
    berlin = Preferences(time_zone="Europe/Berlin")
    document = report(stores, "fleet", end=NOW + WEEK, preferences=berlin)

    facts = dict(document.facts)
    assert facts["To (not included)"] == "10 Mar 2026, 13:00 UTC+01:00"
    assert document.zone == "Europe/Berlin"


def test_more_chapters_than_fit_name_the_limit(stores: Stores) -> None:
    """201 heaters or 51 models are refused; the fleet report takes them all."""
    stores.add(*(Device(id=f"wh-{i}", name=f"H{i}") for i in range(MOST_DEVICES + 1)))

    with pytest.raises(InvalidInput, match=r"201 heaters .* 200"):
        report(stores, "heater")
    assert report(stores, "fleet", sections=("counts",)).subtitle.endswith("(201)")
    many = tuple(f"m{i}" for i in range(MOST_MODELS + 1))
    with pytest.raises(NotFound, match="no model m0"):
        report(stores, "drift", models=many)


def test_progress_is_told_to_the_end(stores: Stores) -> None:
    """The share never falls and ends at 1."""
    stores.add(Device(id="wh-1", name="A"), Device(id="wh-2", name="B"))

    told: list[tuple[float, str]] = []
    query = ReportQuery("heater", NOW - WEEK, NOW)
    with open_composer(stores.settings) as composer:
        composer.compose(ADMIN, query, NOW, lambda s, w: told.append((s, w)))

    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert any("Heater B" in words for _, words in told)
