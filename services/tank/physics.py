"""A stratified storage tank: ten nodes of equal volume, node 0 at the bottom.

Each step draws water (plug flow), loses heat to the room, conducts a little between
neighbours, heats as the thermostats ask, and mixes what has become unstable. Every
part moves heat and makes none, so the energy closes to rounding. Nothing here is
random: the same state and inputs give the same result in one call or in many.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.tank.compiled import compiled

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

NODES = 10
UPPER_NODE = 7
LOWER_NODE = 2
CONDENSER_NODES = 5
HEAT_J_PER_L_K = 4140.0
"""Density times specific heat of water near 45 °C: 0.990 kg/L x 4180 J/(kg K)."""

OFF, ECO, ELECTRIC, PERFORMANCE, HIGH_DEMAND, HEAT_PUMP = range(6)
"""Operation modes: their places in ``data.records.MODES``."""

ELEMENT_LOSS, LEAK_LPM, UA_EXTRA, THERMOSTAT_K, COMPLIANCE_LOSS = range(5)
"""What a fault changes: share of the lower element's power gone, hot water lost, share
of heat loss added, error of the thermostats in K, share of the expansion tank gone."""

UPPER_CALL, LOWER_CALL, COMPRESSOR_CALL, PRESSURE_BAR = range(4)
INLET_PIPE_C, OUTLET_PIPE_C, ENERGY_KWH, NO_CURRENT_S = range(4, 8)
REGISTERS = 8
"""Places in ``registers``, the part of the state that is not node temperatures."""

TRACE = (
    *("tank_c", "mean_c", "drawn_c", "inlet_pipe_c", "outlet_pipe_c", "pressure_bar"),
    *("flow_lpm", "power_w", "energy_kwh", "heating", "no_current_s"),
)
"""Columns of the trace. ``tank_c`` is the mean of the two thermostat places,
``drawn_c`` the water as it left the tank."""

INLET, AMBIENT, VOLTAGE, SUPPLY = range(4)
"""Columns of ``weather``: °C, °C, V, bar."""

RELIEF_BAR = 10.3
COLDEST_AIR_C = 3.0
CONDENSER_APPROACH_K, EVAPORATOR_APPROACH_K = 5.0, 8.0
PIPE_L, PIPE_S = 0.4, 2400.0
"""Water in the pipe at a sensor, and the time in which it takes the room's warmth."""


class Tank(NamedTuple):
    """What a tank is built of; constant over its life, faults apart."""

    volume_l: float
    ua_w_per_k: float
    conduction_w_per_k: float
    lower_element_w: float
    upper_element_w: float
    rated_voltage_v: float
    compressor_w: float
    carnot_share: float
    dead_band_k: float
    compliance_l_per_bar: float


class Body(NamedTuple):
    """A tank with its state: node temperatures in °C, and ``registers``."""

    tank: Tank
    nodes: Array
    registers: Array


class Inputs(NamedTuple):
    """What acts on a tank, per step of ``dt_s``; ``faults`` as of ``faults.matrix``."""

    start_s: float
    dt_s: float
    litres: Array
    weather: Array
    target_c: Array
    mode: Codes
    faults: Array


@compiled
def displace(nodes: Array, litres: float, inlet_c: float, node_l: float) -> float:
    """Push ``litres`` of inlet water in below; give the mean °C of what left."""
    heat = 0.0
    left = litres
    while left > 0.0:
        part = min(left, node_l)
        share = part / node_l
        heat += part * nodes[NODES - 1]
        for i in range(NODES - 1, 0, -1):
            nodes[i] += share * (nodes[i - 1] - nodes[i])
        nodes[0] += share * (inlet_c - nodes[0])
        left -= part
    return heat / litres if litres > 0.0 else nodes[NODES - 1]


@compiled
def mix(nodes: Array) -> None:
    """Mix water that lies under colder water: pool adjacent violators, bottom up."""
    means = np.empty(NODES)
    sizes = np.empty(NODES, np.int64)
    pools = 0
    for i in range(NODES):
        mean, size = nodes[i], 1
        while pools > 0 and means[pools - 1] > mean:
            pools -= 1
            mean = mean * size + means[pools] * sizes[pools]
            size += sizes[pools]
            mean /= size
        means[pools] = mean
        sizes[pools] = size
        pools += 1
    place = 0
    for pool in range(pools):
        nodes[place : place + sizes[pool]] = means[pool]
        place += sizes[pool]


@compiled
def lose(body: Body, extra: float, ambient_c: float, dt_s: float) -> None:
    """Cool each node to the room by the exact exponential, then conduct."""
    nodes, tank = body.nodes, body.tank
    node_j_per_k = tank.volume_l / NODES * HEAT_J_PER_L_K
    ua = tank.ua_w_per_k * (1.0 + extra) / NODES
    kept = math.exp(-ua * dt_s / node_j_per_k)
    for i in range(NODES):
        nodes[i] = ambient_c + (nodes[i] - ambient_c) * kept
    share = tank.conduction_w_per_k * dt_s / node_j_per_k
    flow = 0.0
    for i in range(NODES - 1):
        upward = share * (nodes[i] - nodes[i + 1])
        nodes[i] += flow - upward
        flow = upward
    nodes[NODES - 1] += flow


@compiled
def cop(tank: Tank, condenser_c: float, air_c: float) -> float:
    """Coefficient of performance: a share of Carnot between the two refrigerants."""
    hot_c = condenser_c + CONDENSER_APPROACH_K
    lift_k = max(5.0, hot_c - (air_c - EVAPORATOR_APPROACH_K))
    return min(6.0, max(1.0, tank.carnot_share * (hot_c + 273.15) / lift_k))


@compiled
def hold(call: float, sensed_c: float, on_c: float, off_c: float) -> float:
    """A thermostat: on below ``on_c``, off from ``off_c``, else as it was."""
    if sensed_c < on_c:
        return 1.0
    return 0.0 if sensed_c >= off_c else call


@compiled
def control(
    body: Body, mode: int, target_c: float, air_c: float, error_k: float
) -> None:
    """Set the calls for heat: upper element first, never both elements at once."""
    tank, nodes, registers = body.tank, body.nodes, body.registers
    if mode == OFF:
        registers[UPPER_CALL : COMPRESSOR_CALL + 1] = 0.0
        return
    upper_c = nodes[UPPER_NODE] + error_k
    lower_c = nodes[LOWER_NODE] + error_k
    band_k = tank.dead_band_k
    if mode == ECO:
        band_k *= 1.5
    elif mode in (PERFORMANCE, HIGH_DEMAND):
        band_k *= 0.6
    pump = tank.compressor_w > 0.0 and mode != ELECTRIC and air_c >= COLDEST_AIR_C
    upper = registers[UPPER_CALL]
    if not pump:
        upper = hold(upper, upper_c, target_c - band_k, target_c)
    elif mode == HEAT_PUMP:
        upper = 0.0
    else:
        backup_k = 14.0 if mode == ECO else 10.0 if mode == PERFORMANCE else 4.0
        upper = hold(upper, upper_c, target_c - backup_k, target_c - 1.0)
    was = max(registers[LOWER_CALL], registers[COMPRESSOR_CALL])
    sensed_c = 0.5 * (upper_c + lower_c) if pump else lower_c
    lower = hold(was, sensed_c, target_c - band_k, target_c)
    registers[UPPER_CALL] = upper
    registers[LOWER_CALL] = 0.0 if pump else lower
    registers[COMPRESSOR_CALL] = lower if pump else 0.0


@compiled
def heat(body: Body, mode: int, weather: Array, lost: Array, dt_s: float) -> float:
    """Heat as called for one step; give the electric power in W, averaged over it."""
    tank, nodes, registers = body.tank, body.nodes, body.registers
    node_j_per_k = tank.volume_l / NODES * HEAT_J_PER_L_K
    volts = (weather[VOLTAGE] / tank.rated_voltage_v) ** 2
    upper = registers[UPPER_CALL] > 0.0
    element_w = 0.0
    if upper:
        element_w = tank.upper_element_w * volts
        nodes[UPPER_NODE] += element_w * dt_s / node_j_per_k
    elif registers[LOWER_CALL] > 0.0:
        element_w = tank.lower_element_w * volts * max(0.0, 1.0 - lost[ELEMENT_LOSS])
        nodes[LOWER_NODE - 1] += element_w * dt_s / node_j_per_k
        dead_s = registers[NO_CURRENT_S] + dt_s
        registers[NO_CURRENT_S] = dead_s if element_w < 10.0 else 0.0
    pump_w = 0.0
    if registers[COMPRESSOR_CALL] > 0.0 and (mode == HIGH_DEMAND or not upper):
        wrapped = nodes[:CONDENSER_NODES]
        warm_c = wrapped.mean()
        pump_w = tank.compressor_w * (1.0 + 0.008 * (warm_c - 45.0))
        gained_w = pump_w * cop(tank, warm_c, weather[AMBIENT])
        # the colder a node, the more heat it takes from the condenser round it
        pull_k = wrapped.max() + CONDENSER_APPROACH_K - wrapped
        wrapped += gained_w * dt_s / node_j_per_k * pull_k / pull_k.sum()
    registers[ENERGY_KWH] += (element_w + pump_w) * dt_s / 3.6e6
    return element_w + pump_w


@compiled
def press(
    body: Body, supply_bar: float, flow_lpm: float, warmer_k: float, lost: Array
) -> None:
    """Pressure of the closed system: supply while drawing, else expansion on top."""
    tank, registers = body.tank, body.registers
    if flow_lpm > 0.0:
        registers[PRESSURE_BAR] = max(0.5, supply_bar - 0.002 * flow_lpm**2)
        return
    # expansion per K: (0.3 + 0.084 T) x 1e-4, a fit to tables for 10-70 °C
    grown_l = (0.3 + 0.084 * body.nodes.mean()) * 1e-4 * tank.volume_l * warmer_k
    room = tank.compliance_l_per_bar * max(0.02, 1.0 - lost[COMPLIANCE_LOSS])
    raised = registers[PRESSURE_BAR] + grown_l / room
    registers[PRESSURE_BAR] = min(RELIEF_BAR, max(supply_bar, raised))


@compiled
def settle_pipes(
    body: Body, litres: float, drawn_c: float, weather: Array, dt_s: float
) -> None:
    """The pipe sensors follow the water while it flows, and the room when it stands."""
    registers, room_c = body.registers, weather[AMBIENT]
    if litres > 0.0:
        new = 1.0 - math.exp(-litres / PIPE_L)
        registers[INLET_PIPE_C] += new * (weather[INLET] - registers[INLET_PIPE_C])
        registers[OUTLET_PIPE_C] += new * (drawn_c - registers[OUTLET_PIPE_C])
        return
    new = 1.0 - math.exp(-dt_s / PIPE_S)
    warm_c = room_c + 0.35 * (body.nodes[NODES - 1] - room_c)
    registers[INLET_PIPE_C] += new * (room_c - registers[INLET_PIPE_C])
    registers[OUTLET_PIPE_C] += new * (warm_c - registers[OUTLET_PIPE_C])


@compiled
def fault_strength(fault: Array, at_s: float) -> float:
    """How far a fault (effect, start, end, ramp, size) has grown by ``at_s``."""
    if at_s < fault[1] or at_s >= fault[2]:
        return 0.0
    return min(1.0, (at_s - fault[1]) / fault[3]) if fault[3] > 0.0 else 1.0


@compiled
def advance(body: Body, inputs: Inputs, trace: Array) -> None:
    """Run a tank over the steps of ``inputs``: change its state, fill ``trace``.

    ``trace`` has the columns of ``TRACE``; its row k is the tank at the end of step k.
    """
    nodes, registers, dt_s = body.nodes, body.registers, inputs.dt_s
    node_l, lost = body.tank.volume_l / NODES, np.empty(5)
    for k in range(len(inputs.litres)):
        at_s = inputs.start_s + k * dt_s
        air, mode = inputs.weather[k], inputs.mode[k]
        lost[:] = 0.0
        for fault in inputs.faults:
            lost[int(fault[0])] += fault_strength(fault, at_s) * fault[4]
        drawn_l = inputs.litres[k] + lost[LEAK_LPM] * dt_s / 60.0
        drawn_c = displace(nodes, drawn_l, air[INLET], node_l)
        before_c = nodes.mean()
        lose(body, lost[UA_EXTRA], air[AMBIENT], dt_s)
        control(body, mode, inputs.target_c[k], air[AMBIENT], lost[THERMOSTAT_K])
        power_w = heat(body, mode, air, lost, dt_s)
        mix(nodes)
        mean_c = nodes.mean()
        flow_lpm = drawn_l * 60.0 / dt_s
        press(body, air[SUPPLY], flow_lpm, mean_c - before_c, lost)
        settle_pipes(body, drawn_l, drawn_c, air, dt_s)
        trace[k, 0] = 0.5 * (nodes[UPPER_NODE] + nodes[LOWER_NODE])
        trace[k, 1], trace[k, 2] = mean_c, drawn_c
        trace[k, 3], trace[k, 4] = registers[INLET_PIPE_C], registers[OUTLET_PIPE_C]
        trace[k, 5], trace[k, 6] = registers[PRESSURE_BAR], flow_lpm
        trace[k, 7], trace[k, 8] = power_w, registers[ENERGY_KWH]
        trace[k, 9] = registers[: COMPRESSOR_CALL + 1].max()
        trace[k, 10] = registers[NO_CURRENT_S]
