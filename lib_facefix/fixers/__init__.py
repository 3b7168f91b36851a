"""Fixers, which restore or re-diffuse the faces in crops."""
