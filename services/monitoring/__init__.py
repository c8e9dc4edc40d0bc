"""Watching models: performance, drift, verdicts and the windows they are made in."""
