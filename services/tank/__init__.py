"""The tank: a small physical model of a hot-water storage heater and its household.

``Heater.run`` simulates, ``telemetry`` makes the frame; see ``physics`` for the model.
"""
