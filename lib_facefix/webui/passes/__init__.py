"""Passes over the images of a batch."""
