"""Presets of passes: their panel and their file."""
