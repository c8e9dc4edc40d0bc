"""Measures, tests and estimates of drift and performance; NumPy and SciPy only."""
