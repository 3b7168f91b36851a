"""Landmarkers: each file looks at one face more closely with one model."""
