"""Loaded models: one store for each FaceFix."""
