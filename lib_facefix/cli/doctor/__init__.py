"""Check this installation: versions, devices, models, use of the network, and a self-test on a bundled photo.

Nothing is downloaded or sent. The report contains no token, and home folders are shortened to ~.
"""

import argparse
import time
from typing import Any

from ..parser import Parser
from ..terminal import print_lines

VERSION = 1
"""Version of the JSON of the report."""


def add(parser: Parser) -> None:
    """Add the command to its parser."""
    from ..model_folders import add_path_flags

    parser.usage = "%(prog)s [FLAGS]"
    parser.examples = (
        "facefix doctor                 the report, to paste into a bug report",
        "facefix doctor --full          also load the engines, and hash large files",
        "facefix doctor --json          the same as JSON",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--full", action="store_true", help="load PyTorch and other engines, and check large files")
    add_path_flags(parser, default=[])
    folder = "folder of YOLO models, including subfolders (repeatable, or several separated as in PATH)"
    parser.add_argument("--yolo", action="append", default=[], metavar="DIR", help=folder)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return 0, or 1 if something does not work."""
    report = make_report(arguments)
    if arguments.json:
        import json

        text = json.dumps(report, indent=2, ensure_ascii=True, allow_nan=False)
        print(text)
    else:
        from .text import describe_report

        print_lines(describe_report(report))
    return 0 if report["ok"] else 1


def make_report(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the report as JSON data, without private paths and credentials. Raises `BadSetting` for a wrong folder.

    What needs a missing package is None: the members `models`, `network`, and `self_test`.
    """
    from . import versions
    from .problems import Problem, hide_private

    begun, problems = time.perf_counter(), list[Problem]()
    report: dict[str, Any] = {
        "version": VERSION,
        "versions": versions.read_versions(problems),
        "system": versions.read_system(),
        "devices": versions.list_devices(),
        "engines": None,
        "models": [],
        "network": None,
        "self_test": None,
    }
    if all(report["versions"][module] for module in versions.REQUIRED):
        report |= _check_parts(arguments, problems)
    shown = sorted(problems, key=lambda one: one.level)  # errors first
    report |= {"problems": [one.to_json() for one in shown], "ok": not any(one.level == "error" for one in shown)}
    return {**hide_private(report), "seconds": round(time.perf_counter() - begun, 2)}


def _check_parts(arguments: argparse.Namespace, problems: list[Any]) -> dict[str, Any]:
    """Return the members of the report that need all required packages."""
    from ..model_folders import read_model_paths
    from .model_check import check_models
    from .network import describe_network
    from .self_test import run_self_test
    from .versions import probe_engines

    paths = read_model_paths(arguments, arguments.yolo)
    return {
        "engines": probe_engines(problems) if arguments.full else None,
        "models": check_models(paths, problems, full=arguments.full),
        "network": describe_network(problems),
        "self_test": run_self_test(problems),
    }
