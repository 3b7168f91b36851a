"""Maskers, which define the part of a face's crop that may change."""
