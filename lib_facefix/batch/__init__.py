"""Fixing files one after another: choosing where results go, recording what was done, and reporting it."""

from .batch_runner import Batch, skip_existing
from .one_file import fix_file
from .planners import make_planner, plan_from_file
from .report import describe_plan, explain_absent, list_reasons, make_document, summarize_faces
from .targets import (
    STREAM,
    Naming,
    below_common_folder,
    choose_targets,
    exclude_results,
    keep_apart,
    open_log,
    refuse_to_replace,
)

__all__ = [
    "STREAM",
    "Batch",
    "Naming",
    "below_common_folder",
    "choose_targets",
    "describe_plan",
    "exclude_results",
    "explain_absent",
    "fix_file",
    "keep_apart",
    "list_reasons",
    "make_document",
    "make_planner",
    "open_log",
    "plan_from_file",
    "refuse_to_replace",
    "skip_existing",
    "summarize_faces",
]
