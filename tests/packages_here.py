"""Marks of tests that one optional package decides."""

import importlib.util

import pytest

needs_torch = pytest.mark.skipif(
    not importlib.util.find_spec("torch"),
    reason="where PyTorch is missing, that is said first, or another model chosen",
)
