"""Upscalers: each makes a whole picture larger."""
