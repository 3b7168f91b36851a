"""Picture files, one after another, whoever asks: where results go, what was done, and what is said of it."""

from __future__ import annotations

from .batch_runner import Batch, from_file, planner
from .report import document, planned, reasons, summary
from .targets import below_common_folder, keep_apart, targets, without_results

__all__ = [
    "Batch",
    "below_common_folder",
    "document",
    "from_file",
    "keep_apart",
    "planned",
    "planner",
    "reasons",
    "summary",
    "targets",
    "without_results",
]
