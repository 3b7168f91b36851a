"""Detectors, one file for each model or package."""
