"""Fixing files one after another: choosing where results go, recording what was done, and reporting it."""

from .batch_runner import Batch as Batch
from .batch_runner import make_planner as make_planner
from .batch_runner import plan_from_file as plan_from_file
from .report import describe_plan as describe_plan
from .report import list_reasons as list_reasons
from .report import make_document as make_document
from .report import summarize_result as summarize_result
from .targets import below_common_folder as below_common_folder
from .targets import choose_targets as choose_targets
from .targets import exclude_results as exclude_results
from .targets import keep_apart as keep_apart
