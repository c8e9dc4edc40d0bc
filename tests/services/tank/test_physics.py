"""The physics of the tank against arithmetic and the standard test day."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from services.tank import physics, products
from services.tank.physics import HEAT_J_PER_L_K, NODES

GALLON_L = 3.785412
DOE_MEDIUM = (
    (0, 15.0, 1.7), (30, 2.0, 1.0), (100, 9.0, 1.7), (630, 9.0, 1.7), (690, 5.0, 1.7),
    (720, 1.0, 1.0), (765, 1.0, 1.0), (770, 1.0, 1.0), (960, 1.0, 1.0), (975, 2.0, 1.0),
    (1005, 2.0, 1.7), (1020, 7.0, 1.7),
)  # fmt: skip
"""Minute, gallons, gallons per minute of the 24-hour medium-use pattern."""


def doe_day() -> np.ndarray:
    """Litres of each minute of the medium-use day: 12 draws, 55 gallons."""
    litres = np.zeros(1440)
    for minute, gallons, rate in DOE_MEDIUM:
        left, at = gallons, minute
        while left > 1e-9:
            litres[at] += min(left, rate) * GALLON_L
            left, at = left - rate, at + 1
    return litres


temperatures = arrays(
    np.float64, NODES, elements=st.floats(5.0, 90.0, allow_subnormal=False)
)


@settings(deadline=None)
@given(temperatures)
def test_mixing_conserves_heat_and_leaves_warm_water_on_top(nodes):
    """Mixing keeps the mean and leaves no node colder than the one below it."""
    before = nodes.mean()
    physics.mix(nodes)
    assert nodes.mean() == pytest.approx(before, rel=1e-12)
    assert (np.diff(nodes) >= -1e-9).all()


@settings(deadline=None)
@given(temperatures, st.floats(0.0, 600.0), st.floats(2.0, 30.0))
def test_a_draw_takes_out_what_the_tank_loses(nodes, litres, inlet_c):
    """Heat of the drawn water = heat of the inlet water + what the tank gave up."""
    node_l = 20.0
    held = nodes.sum() * node_l
    drawn_c = physics.displace(nodes, litres, inlet_c, node_l)
    given_up = held - nodes.sum() * node_l
    assert litres * drawn_c == pytest.approx(litres * inlet_c + given_up, abs=1e-6)


def test_a_draw_of_one_node_moves_every_node_up_by_one():
    """Plug flow: exactly one node volume shifts the profile without mixing it."""
    nodes = np.arange(10.0, 20.0)
    drawn_c = physics.displace(nodes, 19.0, 5.0, 19.0)
    assert drawn_c == 19.0
    assert nodes.tolist() == [5.0, *np.arange(10.0, 19.0)]


def test_standby_decay_is_the_analytic_exponential(bench):
    """An idle uniform tank cools as exp(-UA t / C) to the room, within 1e-6 K."""
    tank = products.electric(volume_l=200.0, ua_w_per_k=1.5)
    idle = bench(tank, 60.0)
    hours = 48
    trace = idle.run(np.zeros(hours * 60), 60.0, physics.OFF)
    decay = math.exp(-1.5 * hours * 3600.0 / (200.0 * HEAT_J_PER_L_K))
    assert trace["mean_c"][-1] == pytest.approx(19.7 + (60.0 - 19.7) * decay, abs=1e-6)
    assert trace["power_w"].max() == 0.0


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("make", [products.electric, products.heat_pump])
def test_energy_closes_over_random_days(bench, make, seed):
    """Heat in = drawn + lost + stored within 0.5 %, from the trace alone."""
    rng = np.random.default_rng(seed)
    litres = np.where(
        rng.random(3 * 1440) < 0.03, rng.uniform(0.5, 12.0, 3 * 1440), 0.0
    )
    tank = make(ua_w_per_k=float(rng.uniform(0.6, 3.0)))
    running = bench(tank, 50.0)
    trace = running.run(litres, 55.0, physics.ELECTRIC)
    joule_per_k = tank.volume_l * HEAT_J_PER_L_K
    drawn = (litres * (trace["drawn_c"] - running.inlet_c)).sum() * HEAT_J_PER_L_K
    lost = tank.ua_w_per_k * (trace["mean_c"] - running.room_c).sum() * 60.0
    stored = (trace["mean_c"][-1] - 50.0) * joule_per_k
    used = trace["energy_kwh"][-1] * 3.6e6
    assert used == pytest.approx(drawn + lost + stored, rel=0.005)
    assert used == pytest.approx(trace["power_w"].sum() * 60.0, rel=1e-9)


@pytest.mark.parametrize(
    ("tank", "mode", "low", "high"),
    [
        (products.electric(), physics.ELECTRIC, 0.90, 0.96),
        (products.heat_pump(), physics.HEAT_PUMP, 2.5, 4.0),
        (products.heat_pump(), physics.ECO, 2.5, 4.0),
    ],
)
def test_standard_medium_day_gives_the_usual_efficiency(bench, tank, mode, low, high):
    """55 gal in 12 draws, 14.4 to 51.7 °C: 0.90-0.96 electric, 2.5-4 heat pump."""
    running = bench(tank, 51.7)
    litres = doe_day()
    assert litres.sum() == pytest.approx(55 * GALLON_L)
    running.run(litres, 51.7, mode)
    before_kwh = running.body.registers[physics.ENERGY_KWH]
    before_c = running.body.nodes.mean()
    trace = running.run(litres, 51.7, mode)
    heat_per_k = HEAT_J_PER_L_K / 3.6e6
    delivered = (litres * (trace["drawn_c"] - 14.4)).sum() * heat_per_k
    stored = (running.body.nodes.mean() - before_c) * tank.volume_l * heat_per_k
    used = trace["energy_kwh"][-1] - before_kwh
    assert low <= (delivered + stored) / used <= high
    assert (trace["drawn_c"][litres > 0] > 43.0).all()


def test_stratification_is_monotone_after_every_step(bench):
    """Whatever is drawn and heated, no node is colder than the one below."""
    rng = np.random.default_rng(3)
    running = bench(products.electric(), 50.0)
    for minute in range(600):
        litres = np.array([rng.uniform(0.0, 15.0) if minute % 7 == 0 else 0.0])
        running.run(litres, 55.0, physics.ELECTRIC)
        assert (np.diff(running.body.nodes) >= -1e-9).all()


def test_elements_never_run_together_and_the_upper_goes_first(bench):
    """From cold the upper element heats the top before the lower one starts."""
    running = bench(products.electric(element_w=3000.0), 15.0)
    powers = []
    while running.body.nodes[physics.UPPER_NODE] < 55.0:
        powers.extend(running.run(np.zeros(1), 55.0, physics.ELECTRIC)["power_w"])
    assert running.body.nodes[0] < 16.0
    powers.extend(running.run(np.zeros(600), 55.0, physics.ELECTRIC)["power_w"])
    assert running.body.nodes.mean() > 48.0
    assert max(powers) == pytest.approx(3000.0)


@pytest.mark.parametrize("volts", [207.0, 230.0, 253.0])
def test_element_power_goes_with_the_square_of_the_voltage(bench, volts):
    """10 % less voltage is 19 % less power."""
    running = bench(products.electric(element_w=3000.0), 20.0)
    running.volts = volts
    trace = running.run(np.zeros(1), 55.0, physics.ELECTRIC)
    assert trace["power_w"][0] == pytest.approx(3000.0 * (volts / 230.0) ** 2)


def test_cop_falls_with_warmer_water_and_colder_air():
    """A heat pump works less well against a larger lift, and within 1 to 6."""
    tank = products.heat_pump()
    by_water = [physics.cop(tank, c, 20.0) for c in (20.0, 35.0, 50.0, 65.0)]
    by_air = [physics.cop(tank, 50.0, c) for c in (0.0, 10.0, 20.0, 35.0)]
    assert by_water == sorted(by_water, reverse=True)
    assert by_air == sorted(by_air)
    assert all(1.0 <= x <= 6.0 for x in by_water + by_air)


def test_high_demand_adds_the_element_to_the_compressor(bench):
    """In high demand a cold tank draws both; in heat-pump mode only the compressor."""
    tank = products.heat_pump(compressor_w=480.0, element_w=2000.0)
    busy = bench(tank, 30.0).run(np.zeros(5), 55.0, physics.HIGH_DEMAND)
    calm = bench(tank, 30.0).run(np.zeros(5), 55.0, physics.HEAT_PUMP)
    assert busy["power_w"][0] == pytest.approx(2000.0 + calm["power_w"][0], rel=0.01)
    assert calm["power_w"].max() < 520.0


def test_heat_pump_falls_back_to_elements_in_cold_air(bench):
    """Below 3 °C air the compressor rests and an element heats."""
    running = bench(products.heat_pump(element_w=2000.0), 30.0)
    running.room_c = 0.0
    trace = running.run(np.zeros(3), 55.0, physics.HEAT_PUMP)
    assert trace["power_w"].tolist() == pytest.approx([2000.0] * 3)


def test_off_heats_nothing(bench):
    """A cold tank in mode off takes no power and reports no heating."""
    trace = bench(products.electric(), 15.0).run(np.zeros(60), 60.0, physics.OFF)
    assert trace["power_w"].max() == 0.0
    assert trace["heating"].max() == 0.0


def test_pressure_rises_while_heating_and_drops_to_supply_on_a_draw(bench):
    """190 L warmed by 30 K grow about 2 L: 1 bar on 2 L/bar, gone when drawing."""
    running = bench(products.electric(compliance_l_per_bar=2.0), 25.0)
    heated = running.run(np.zeros(120), 55.0, physics.ELECTRIC)
    rise = heated["pressure_bar"].max() - 3.0
    assert 0.5 < rise < 1.6
    drawn = running.run(np.array([6.0]), 55.0, physics.ELECTRIC)
    assert drawn["pressure_bar"][0] == pytest.approx(3.0 - 0.002 * 36.0)


def test_relief_valve_limits_the_pressure(bench):
    """With almost no expansion tank the pressure stops at 10.3 bar."""
    running = bench(products.electric(compliance_l_per_bar=0.05), 20.0)
    trace = running.run(np.zeros(240), 60.0, physics.ELECTRIC)
    assert trace["pressure_bar"].max() == physics.RELIEF_BAR
