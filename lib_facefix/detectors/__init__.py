"""Detectors: each file finds faces with one model or package."""
