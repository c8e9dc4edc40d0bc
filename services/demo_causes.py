"""What happens in the generated worlds: how rows come about, and what changes when.

Times are weeks since the first day logged. ``draw-pattern`` never changes.
``scale-build-up``: from week 38 the waterworks dose an inhibitor; hardness matters
less and heat more, and no input tells. ``anode-wear``: from week 26 to 34 services
move to heaters whose anode is neither new nor old; from week 48 a firmware sends the
anode's current for six rows of ten only.
"""

from __future__ import annotations

import numpy as np

from services.demo_specs import ANODE, DRAW_PATTERN, SCALE
from services.demo_worlds import Challenger, Draws, Frame, World
from services.stats.intervals import Array

INHIBITOR_FROM, INHIBITOR_FULL = 38.0, 39.0
SERVICES_FROM, SERVICES_FULL = 26.0, 34.0
FIRMWARE_FROM, FIRMWARE_LOSES = 48.0, 0.4


def draw_pattern(d: Draws) -> Frame:
    """Draws of hot water: flow and duration tell what they were for."""
    use = np.searchsorted((0.6, 0.88), d.label)
    family = d.picked(1, "single couple family", (0.3, 0.4, 0.3))
    flow = np.exp(np.log(np.array([4.0, 6.8, 9.5]))[use] + 0.4 * d.z[0])
    duration = np.exp(np.log(np.array([80.0, 280.0, 520.0]))[use] + 0.8 * d.z[1])
    hour = np.array([14.0, 8.0, 19.5])[use] + np.array([4.5, 3.0, 2.0])[use] * d.z[2]
    volume = flow * duration / 60
    capacity = d.picked(2, "120 200 300", (0.3, 0.45, 0.25)).astype(np.float64)
    return {
        "confirmed_use": np.array(DRAW_PATTERN.classes, dtype=object)[use],
        "draw_volume_l": volume.round(1),
        "draw_duration_s": duration.round(),
        "flow_mean_lpm": flow.round(2),
        "flow_peak_lpm": (flow * (1.05 + 0.25 * d.u[3])).round(2),
        "outlet_drop_k": np.maximum(volume / capacity * 12 + d.z[3], 0).round(1),
        "inlet_temperature_c": (11.5 + 1.6 * d.z[4]).round(1),
        "hour_of_day_h": (hour % 24).round(2),
        "since_last_draw_min": np.exp(4.0 + 1.1 * d.z[5]).round(1),
        "capacity_l": capacity,
        "household": family,
    }


def scale_build_up(d: Draws) -> Frame:
    """Limescale on elements: hard water, heat, use and time make it."""
    region = d.picked(0, "coast plain hills", (0.3, 0.4, 0.3))
    softener = d.picked(1, "none ion-exchange phosphate", (0.6, 0.2, 0.2))
    element = d.picked(2, "copper steel ceramic", (0.4, 0.4, 0.2))
    near = np.select([region == "coast", region == "plain"], [-0.5, 0.0], 0.5)
    hardness, heat, use, age = near + 0.85 * d.z[0], d.z[1], d.z[2], d.z[3]
    load = d.picked(3, "6 8 10", (0.3, 0.4, 0.3)).astype(np.float64)
    dosed = _ramp(d.week, INHIBITOR_FROM, INHIBITOR_FULL)
    before = 2.1 * hardness + 0.7 * heat - 1.6 * (softener == "ion-exchange")
    after = 0.2 * hardness + 1.9 * heat - 0.2 * (softener == "ion-exchange")
    logit = (1 - dosed) * before + dosed * (after - 0.1)
    logit += 0.5 * use + 1.0 * age + 0.25 * (load - 8) - 0.7 * (element == "ceramic")
    logit += -0.4 * (softener == "phosphate") - 0.2
    return {
        "found_at_inspection": d.happens(logit, SCALE.classes),
        "water_hardness_dh": np.maximum(14 + 5 * hardness, 0.5).round(1),
        "target_temperature_c": (56 + 3.5 * heat).round(1),
        "drawn_l_per_day": np.exp(4.7 + 0.5 * use).round(),
        "since_descaling_d": np.exp(6.1 + 0.6 * age).round(),
        "element_load_w_per_cm2": load,
        "inlet_temperature_c": (11 + 2 * d.z[4]).round(1),
        "ph": (7.6 + 0.25 * d.z[5]).round(2),
        "pressure_bar": (3.6 + 0.4 * d.z[6]).round(2),
        "capacity_l": d.picked(4, "120 200 300", (0.3, 0.45, 0.25)).astype(float),
        "age_years": np.minimum(0.5 + 12 * d.u[5], 12).round(1),
        "softener": softener,
        "element": element,
        "region": region,
    }


def anode_wear(d: Draws) -> Frame:
    """Sacrificial anodes: conductive water and time wear them, their current tells."""
    moved = d.u[0] < 0.8 * _ramp(d.week, SERVICES_FROM, SERVICES_FULL)
    age = np.where(d.u[1] < 0.5, -1.3, 1.3) + 0.55 * d.z[0]
    age = np.where(moved, 0.1 + 0.5 * d.z[0], age)
    line = d.picked(2, "E-line HP-line Duo-line", (0.5, 0.3, 0.2))
    salt = d.z[1] + 0.4 * moved
    heat, use = d.z[2], d.z[3]
    anode = d.picked(3, "magnesium aluminium", (0.7, 0.3))
    worn = 2.0 * age + 0.8 * salt + 0.5 * heat + 0.3 * use + 0.5 * salt * heat
    worn += 0.5 * (anode == "magnesium") + 0.4 * (line == "Duo-line") - 0.4
    current = np.exp(1.2 - 0.28 * worn + 0.3 * d.z[4])
    lost = (d.week >= FIRMWARE_FROM) & (d.u[4] < FIRMWARE_LOSES)
    firmware = d.picked(5, "4.0 4.1 4.2", (0.3, 0.3, 0.4))
    return {
        "anode_state": d.happens(1.3 * worn, ANODE.classes),
        "conductivity_us_per_cm": np.exp(6.2 + 0.35 * salt).round(),
        "chloride_mg_per_l": np.exp(3.6 + 0.4 * salt + 0.25 * d.z[5]).round(1),
        "ph": (7.6 + 0.25 * d.z[6]).round(2),
        "temperature_mean_c": (55 + 4 * heat).round(1),
        "drawn_l_per_day": np.exp(4.7 + 0.5 * use).round(),
        "since_anode_change_d": np.maximum(800 + 330 * age, 5).round(),
        "anode_current_ma": np.where(lost, np.nan, current.round(2)),
        "age_years": np.maximum(3 + 2 * age + 1.5 * d.z[7], 0.2).round(1),
        "capacity_l": d.picked(6, "120 200 300", (0.3, 0.45, 0.25)).astype(float),
        "pressure_bar": (3.6 + 0.4 * d.z[8]).round(2),
        "anode": anode,
        "product_line": line,
        "firmware": firmware,
    }


def _ramp(week: Array, first: float, full: float) -> Array:
    """0 until a week, rising to 1 at another."""
    return np.asarray(np.clip((week - first) / (full - first), 0, 1))


WORLDS: tuple[World, ...] = (
    World(DRAW_PATTERN, 1, draw_pattern, (0.2, 1.2), labelled=0.7),
    World(SCALE, 2, scale_build_up, (21.0, 0.7)),
    World(
        ANODE,
        3,
        anode_wear,
        (7.0, 2.0),
        trained=0.25,
        challenger=Challenger("2", (-28, 126), (138, 166), 182),
    ),
)
