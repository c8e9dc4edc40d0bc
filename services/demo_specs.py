"""The monitored models of the demo as their owners would register them."""

from __future__ import annotations

from data.model_records import Columns, Feature, ModelSpec, Threshold


def _features(numeric: str, categorical: str) -> tuple[Feature, ...]:
    return tuple(
        Feature(name, kind)
        for names, kind in ((numeric, "numeric"), (categorical, "categorical"))
        for name in names.split()
    )


ELEMENT_FAILURE = ModelSpec(
    name="element-failure-risk",
    kind="binary",
    version="1",
    owner="Field reliability",
    description=(
        "Chance that a heating element is faulty now or within seven days, for every "
        "heater and day, from the day's readings. Labels come from service reports, "
        "seven days later."
    ),
    tags=("maintenance", "daily", "simulated fleet"),
    features=_features(
        "temperature_mean_c temperature_min_c deficit_k kept_share heating_h starts "
        "energy_kwh drawn_l energy_wh_per_l heating_power_share ambient_temperature_c "
        "age_years capacity_l",
        "type",
    ),
    columns=Columns(label="element_fault", scores={"fault": "fault_probability"}),
    classes=("healthy", "fault"),
    positive="fault",
    segments=("type",),
    thresholds=(Threshold("auc", below=0.8), Threshold("recall", below=0.3)),
    simulated=True,
)
DAILY_ENERGY = ModelSpec(
    name="daily-energy",
    kind="regression",
    version="1",
    owner="Energy services",
    description=(
        "Energy in kWh that a heater will use on the next day, from the day before, "
        "the last seven days and the same weekday a week ago. The meter tells the "
        "label a day later."
    ),
    tags=("energy", "daily", "simulated fleet"),
    features=_features(
        "energy_kwh energy_week_kwh energy_week_ago_kwh drawn_l heating_h starts "
        "temperature_mean_c target_temperature_c ambient_temperature_c capacity_l "
        "rated_power_w age_years",
        "type mode",
    ),
    columns=Columns(prediction="predicted_kwh", label="next_day_kwh"),
    segments=("type",),
    thresholds=(Threshold("mae", above=2.5),),
    simulated=True,
)
DRAW_PATTERN = ModelSpec(
    name="draw-pattern",
    kind="multiclass",
    version="1",
    owner="Product insights",
    description=(
        "What a draw of hot water was for: basin, shower or bath. Households confirm "
        "seven of ten within some days."
    ),
    tags=("usage", "generated data"),
    features=_features(
        "draw_volume_l draw_duration_s flow_mean_lpm flow_peak_lpm outlet_drop_k "
        "inlet_temperature_c hour_of_day_h since_last_draw_min capacity_l",
        "household",
    ),
    columns=Columns(
        label="confirmed_use",
        scores={c: f"{c}_probability" for c in ("basin", "shower", "bath")},
    ),
    classes=("basin", "shower", "bath"),
    segments=("household",),
    thresholds=(Threshold("accuracy", below=0.8),),
    simulated=True,
)
SCALE = ModelSpec(
    name="scale-build-up",
    kind="binary",
    version="1",
    owner="Water quality",
    description=(
        "Chance that limescale on the element is thick enough to be removed at the "
        "next inspection. The inspection itself is the label, three weeks later."
    ),
    tags=("maintenance", "generated data"),
    features=_features(
        "water_hardness_dh target_temperature_c drawn_l_per_day since_descaling_d "
        "element_load_w_per_cm2 inlet_temperature_c ph pressure_bar capacity_l "
        "age_years",
        "softener element region",
    ),
    columns=Columns(label="found_at_inspection", scores={"scaled": "scaled_score"}),
    classes=("clean", "scaled"),
    positive="scaled",
    segments=("region",),
    thresholds=(Threshold("accuracy", below=0.7), Threshold("auc", below=0.75)),
    simulated=True,
)
ANODE = ModelSpec(
    name="anode-wear",
    kind="binary",
    version="1",
    owner="Service planning",
    description=(
        "Chance that the sacrificial anode must be replaced at the yearly service. "
        "The service reports the label one to three weeks later. Version 2, retrained "
        "on more rows, runs beside version 1 as its challenger."
    ),
    tags=("maintenance", "generated data", "challenger"),
    features=_features(
        "conductivity_us_per_cm chloride_mg_per_l ph temperature_mean_c "
        "drawn_l_per_day since_anode_change_d anode_current_ma age_years capacity_l "
        "pressure_bar",
        "anode product_line firmware",
    ),
    columns=Columns(label="anode_state", scores={"worn": "worn_score"}),
    classes=("sound", "worn"),
    positive="worn",
    segments=("product_line",),
    thresholds=(Threshold("accuracy", below=0.75), Threshold("auc", below=0.8)),
    simulated=True,
)
