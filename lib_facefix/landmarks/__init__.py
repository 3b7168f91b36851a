"""Landmark models, which analyse one face: points, mesh, gender and age."""
