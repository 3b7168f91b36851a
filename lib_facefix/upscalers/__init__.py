"""Upscalers, which enlarge whole images."""
