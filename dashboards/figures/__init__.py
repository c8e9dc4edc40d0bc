"""Figures as plain dicts, built from views."""
