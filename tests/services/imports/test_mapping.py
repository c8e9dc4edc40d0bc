"""What names of columns are taken to mean."""

from __future__ import annotations

import numpy as np
import pytest

from data.records import METRICS, READING_COLUMNS
from services.imports import units
from services.imports.mapping import choose, guess, parse_maps
from services.imports.names import FIELD_NAMES, MODE_WORDS


@pytest.mark.parametrize(
    ("name", "field", "unit"),
    [
        ("Temp", "temperature_c", "°C"),
        ("tank_temp", "temperature_c", "°C"),
        ("TankTemperature(F)", "temperature_c", "°F"),
        ("T_tank [°C]", "temperature_c", "°C"),
        ("temp_degF", "temperature_c", "°F"),
        ("tempF", "temperature_c", "°F"),
        ("Water Temperature (deg C)", "temperature_c", "°C"),
        ("current_temperature", "temperature_c", "°C"),
        ("values.temperature", "temperature_c", "°C"),
        ("Temp, °F (LGR S/N: 1234)", "temperature_c", "°F"),
        ("set_point", "target_temperature_c", "°C"),
        ("Setpoint F", "target_temperature_c", "°F"),
        ("TargetTemp", "target_temperature_c", "°C"),
        ("cold_in_temp", "inlet_temperature_c", "°C"),
        ("Inlet T (°C)", "inlet_temperature_c", "°C"),
        ("hot temp", "outlet_temperature_c", "°C"),
        ("room_temp_c", "ambient_temperature_c", "°C"),
        ("Pressure (psi)", "pressure_bar", "psi"),
        ("pressure_kpa", "pressure_bar", "kPa"),
        ("PSI", "pressure_bar", "psi"),
        ("flow_gpm", "flow_lpm", "gpm"),
        ("Flow [L/min]", "flow_lpm", "L/min"),
        ("flow l/h", "flow_lpm", "L/h"),
        ("Power (kW)", "power_w", "kW"),
        ("Watts", "power_w", "W"),
        ("kWh", "energy_kwh", "kWh"),
        ("energy_wh", "energy_kwh", "Wh"),
        ("Total Energy [kWh]", "energy_kwh", "kWh"),
        ("daily energy", None, ""),
        ("Volts", "voltage_v", "V"),
        ("Mode", "mode", ""),
        ("operation_mode", "mode", ""),
        ("Heating Element", "heating", ""),
        ("compressor", "heating", ""),
        ("Fault Code", "error_code", ""),
        ("Heater", "device_id", ""),
        ("heater_id", "device_id", ""),
        ("Serial No.", "device_id", ""),
        ("Date Time, GMT-05:00", "ts", ""),
        ("ts_utc", "ts", ""),
        ("unixTime", "ts", ""),
        ("t", None, ""),
        ("humidity", None, ""),
        ("Current (A)", None, ""),
        ("pressure (°C)", None, ""),
    ],
)
def test_name_means_field_and_unit(name: str, field: str | None, unit: str) -> None:
    """Names of many styles are understood, and doubtful ones are left alone."""
    found = guess(name)

    assert (found.field, found.unit) == (field, unit)


@pytest.mark.parametrize("name", READING_COLUMNS)
def test_own_names_are_known(name: str) -> None:
    """A file with the product's own column names maps to itself, stored units."""
    assert guess(name).field == name
    assert guess(name).unit == (*units.symbols(name), "")[0]


def test_doubtful_name_says_what_it_may_be() -> None:
    """A name that only contains a known one is a suggestion, never a choice."""
    assert guess("lower tank temperature 2").maybe == ("temperature_c",)


def test_table_of_names_covers_the_fields_once() -> None:
    """Each field has names and no name stands for two fields."""
    names = [name for names in FIELD_NAMES.values() for name in names]

    assert set(FIELD_NAMES) == set(READING_COLUMNS)
    assert len(names) == len(set(names))
    assert all(
        guess(name).field == field for field, ns in FIELD_NAMES.items() for name in ns
    )


def test_rivals_are_reported_not_chosen() -> None:
    """Of two columns for one quantity none is taken, and both are named."""
    chosen = choose(("temp", "tank_temp", "mode"), {}, lambda *_: True)

    assert [plan.field for plan in chosen.taken] == ["mode"]
    assert chosen.unknown == ("temp", "tank_temp")
    assert chosen.notes == (
        "temperature_c is left out: 'temp', 'tank_temp' could each be it; "
        "choose with --map",
    )


def test_exact_name_beats_its_rivals() -> None:
    """The field's own name wins over a guess, which is listed."""
    chosen = choose(("temp", "temperature_c"), {}, lambda *_: True)

    assert [plan.column for plan in chosen.taken] == ["temperature_c"]
    assert chosen.notes == (
        "temperature_c is read from 'temperature_c', not from 'temp'",
    )


def test_values_that_do_not_fit_undo_a_guess() -> None:
    """A column named like a field whose cells cannot be it is reported."""
    chosen = choose(("temp",), {}, lambda *_: False)

    assert chosen.taken == ()
    assert chosen.notes == (
        "'temp' is named like temperature_c but its values are not",
    )


def test_map_takes_equals_in_the_column_and_ignores() -> None:
    """The last ``=`` parts column and field; ``ignore`` leaves a column out."""
    maps = parse_maps(["a=b=power_w:kw", "temp=ignore"])
    chosen = choose(("a=b", "temp"), maps, lambda *_: True)

    assert maps == {"a=b": ("power_w", "kW"), "temp": ("ignore", "")}
    assert [(p.column, p.field, p.unit) for p in chosen.taken] == [
        ("a=b", "power_w", "kW")
    ]
    assert chosen.unknown == ()


@pytest.mark.parametrize(
    ("field", "unit", "value", "stored"),
    [
        ("temperature_c", "°F", 212.0, 100.0),
        ("temperature_c", "K", 273.15, 0.0),
        ("temperature_c", "°F", 888.8, 888.8),
        ("temperature_c", "K", -999.9, -999.9),
        ("pressure_bar", "psi", 14.503773773, 1.0),
        ("pressure_bar", "kPa", 350.0, 3.5),
        ("pressure_bar", "kPa", 888.8, 8.888),
        ("pressure_bar", "psi", -9999.0, -9999.0),
        ("flow_lpm", "gpm", 1.0, 3.785411784),
        ("flow_lpm", "L/h", 600.0, 10.0),
        ("flow_lpm", "m³/h", 0.6, 10.0),
        ("power_w", "kW", 4.5, 4500.0),
        ("energy_kwh", "Wh", 999.0, 0.999),
        ("energy_kwh", "MJ", 3.6, 1.0),
        ("voltage_v", "mV", 230_000.0, 230.0),
    ],
)
def test_units_convert(field: str, unit: str, value: float, stored: float) -> None:
    """Values arrive in stored units, and fault codes as they were written."""
    found = units.to_stored(field, unit, np.array([value, np.nan]))

    assert found[0] == pytest.approx(stored, rel=1e-9)
    assert np.isnan(found[1])


def test_every_metric_has_its_stored_unit_first() -> None:
    """Converting from the first unit of a quantity changes nothing."""
    for metric in METRICS:
        values = np.array([1.0, -999.9])
        assert units.to_stored(metric, units.symbols(metric)[0], values) is values


def test_unit_of_another_quantity_is_refused() -> None:
    """A conversion between quantities is an error, not a number."""
    with pytest.raises(ValueError, match="psi"):
        units.to_stored("power_w", "psi", np.array([1.0]))


def test_mode_words_lead_to_modes() -> None:
    """Every word of the table ends in a mode of the product."""
    from data.records import MODES

    assert set(MODE_WORDS.values()) <= set(MODES)
    assert all(MODE_WORDS[mode] == mode for mode in MODES)
