"""Tabs for those who run the installation."""
