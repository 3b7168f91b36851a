"""Fixing files one after another: choosing where results go, recording what was done, and reporting it."""

from .batch_runner import MAX_SHEET_IMAGES, STOPPED, Batch
from .fingerprint import hash_file, hash_models, hash_work
from .gallery import Gallery
from .journal import Journal
from .memory import Room, count_free_memory, estimate_cost
from .object_journal import ObjectJournal
from .one_file import fix_file
from .overlap import Done, Job, Listed, fix_one, fix_overlapped
from .planners import make_planner, plan_from_file
from .ray_runner import RaySettings, fix_on_ray
from .report import describe_plan, explain_absent, has_failed, list_reasons, make_document, summarize_faces
from .report_file import (
    Report,
    check_kind,
    holds_results,
    keep_rows,
    kind_of,
    may_continue,
    open_report,
    refuse_own_folder,
)
from .shard import Shard
from .targets import (
    STREAM,
    Naming,
    below_common_folder,
    choose_targets,
    exclude_results,
    keep_apart,
    open_log,
    refuse_to_replace,
    skip_existing,
)
from .worker_pool import WorkerFailed, WorkerPool, limit_threads

__all__ = [
    "MAX_SHEET_IMAGES",
    "STOPPED",
    "STREAM",
    "Batch",
    "Done",
    "Gallery",
    "Job",
    "Journal",
    "Listed",
    "Naming",
    "ObjectJournal",
    "RaySettings",
    "Report",
    "Room",
    "Shard",
    "WorkerFailed",
    "WorkerPool",
    "below_common_folder",
    "check_kind",
    "choose_targets",
    "count_free_memory",
    "describe_plan",
    "estimate_cost",
    "exclude_results",
    "explain_absent",
    "fix_file",
    "fix_on_ray",
    "fix_one",
    "fix_overlapped",
    "has_failed",
    "hash_file",
    "hash_models",
    "hash_work",
    "holds_results",
    "keep_apart",
    "keep_rows",
    "kind_of",
    "limit_threads",
    "list_reasons",
    "make_document",
    "make_planner",
    "may_continue",
    "open_log",
    "open_report",
    "plan_from_file",
    "refuse_own_folder",
    "refuse_to_replace",
    "skip_existing",
    "summarize_faces",
]
