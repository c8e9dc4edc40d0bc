"""Tests of services/imports."""
