"""Callbacks of the tabs for those who run the installation."""
