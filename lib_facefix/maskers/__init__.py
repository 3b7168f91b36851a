"""Maskers: each says which part of a face's crop may change."""
