"""Fixers: each makes better faces of crops."""
