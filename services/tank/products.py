"""Tanks of the usual sizes, electric and heat pump, by their physical numbers."""

from __future__ import annotations

from services.tank.physics import Tank


def electric(
    volume_l: float = 190.0,
    element_w: float = 4500.0,
    ua_w_per_k: float = 0.9,
    rated_voltage_v: float = 230.0,
    compliance_l_per_bar: float = 2.0,
) -> Tank:
    """An electric storage heater with two equal elements that never run together."""
    return Tank(
        volume_l=volume_l,
        ua_w_per_k=ua_w_per_k,
        conduction_w_per_k=1.2,
        lower_element_w=element_w,
        upper_element_w=element_w,
        rated_voltage_v=rated_voltage_v,
        compressor_w=0.0,
        carnot_share=0.0,
        dead_band_k=4.0,
        compliance_l_per_bar=compliance_l_per_bar,
    )


def heat_pump(
    volume_l: float = 250.0,
    compressor_w: float = 480.0,
    element_w: float = 2000.0,
    ua_w_per_k: float = 1.1,
    *,
    rated_voltage_v: float = 230.0,
    compliance_l_per_bar: float = 2.5,
) -> Tank:
    """A heat-pump storage heater: condenser round the lower half, backup elements."""
    return Tank(
        volume_l=volume_l,
        ua_w_per_k=ua_w_per_k,
        conduction_w_per_k=1.5,
        lower_element_w=element_w,
        upper_element_w=element_w,
        rated_voltage_v=rated_voltage_v,
        compressor_w=compressor_w,
        carnot_share=0.42,
        dead_band_k=4.0,
        compliance_l_per_bar=compliance_l_per_bar,
    )
