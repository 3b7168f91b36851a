"""The report of `facefix doctor` as text that fits into a bug report."""

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from .devices import describe_devices
from .versions import OPTIONAL, REQUIRED

WIDTH = 80
"""Widest line, in characters, except for long names and paths."""
LABELS = {"cv2": "OpenCV", "PIL": "Pillow"}
"""Names of packages that differ from their import names."""
ANSWERS = {None: "none", True: "yes", False: "no"}
"""Words for values that are not texts."""


def describe_report(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a report (see `make_report`)."""
    errors = sum(one["level"] == "error" for one in report["problems"])
    warnings = len(report["problems"]) - errors
    counts = ((errors, "problem"), (warnings, "warning"))
    counted = " and ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count)
    yield f"FaceFix {report['versions']['facefix']}: {counted or 'no problems found'}"
    for one in report["problems"]:
        yield ""
        yield from _wrap(f"{one['level'].upper()}: {one['what']}", "")
        yield from _wrap(one["todo"], "  ")
    yield from _describe_versions(report["versions"], report["system"])
    yield from _describe_devices(report["devices"], report["engines"])
    yield from _describe_models(report["models"])
    yield from _describe_network(report["network"])
    yield from _describe_self_test(report["self_test"])


def _describe_versions(versions: Mapping[str, Any], system: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "versions:")
    yield f"  Python {versions['python']} ({system['environment']}) on {system['platform']}"
    named = {name: versions[name] for name in (*REQUIRED, *OPTIONAL)}
    yield from _wrap(", ".join(f"{LABELS.get(name, name)} {one}" for name, one in named.items() if one), "  ")
    missing = [LABELS.get(name, name) for name, one in named.items() if not one]
    if missing:
        yield from _wrap(f"not installed: {', '.join(missing)}", "  ")
    yield from (f"  {name}={value}" for name, value in system["variables"].items())


def _describe_devices(devices: Any, engines: Mapping[str, Any] | None) -> Iterator[str]:
    yield from ("", "devices:")
    for device in devices:
        facts = [f"{device['cores']} cores"] if "cores" in device else []
        facts += [f"{device['memory_gb']} GB of memory"] if "memory_gb" in device else []
        yield from _wrap(f"{device['kind'].upper()}: {', '.join((device['name'], *facts))}", "  ")
    if engines is None:
        yield "  (`facefix doctor --full` also asks PyTorch and ONNX Runtime for devices)"
    else:
        known = {name: value for name, value in engines.items() if name != "devices"}
        yield from _wrap(", ".join(f"{name}: {ANSWERS.get(value, value)}" for name, value in known.items()), "  ")
        yield from (line for one in describe_devices(engines["devices"]) for line in _wrap(one, "  ", "    "))


def _describe_models(models: Any) -> Iterator[str]:
    yield from ("", "models:")
    here = [row for row in models if row["state"] != "missing"]
    for row in here:
        name = f"{row['kind']} {row['name']}"
        state = ", ".join(filter(None, ["built in" if row["state"] == "built in" else "installed", row["check"]]))
        yield f"  {name:<24} {state:<24} {row['sha256'][:12]:<12} {row['licence'] or 'licence unknown'}"
    missing = len(models) - len(here)
    if missing:
        yield f"  {missing} more are not installed; `facefix models` lists them"


def _describe_network(network: Mapping[str, Any] | None) -> Iterator[str]:
    yield from ("", "network:")
    if network is None:
        yield "  not listed, because a required package is missing"
        return
    yield "  This command opened no connection. FaceFix uses the network only as follows:"
    for use in network["uses"]:
        yield from _wrap(f"It {use['what']}", "  - ", "    ")
        yield from _wrap(f"when {use['when']}.", "    ")
        yield from _wrap(f"Connects with: {use['with']}.", "    ")
    yield from _wrap(f"Blocked in other packages: {'; '.join(network['blocked'])}", "  ")
    if network["offline"]:
        yield "  FACEFIX_OFFLINE is set: nothing is downloaded."


def _describe_self_test(test: Mapping[str, Any] | None) -> Iterator[str]:
    yield from ("", "self-test:")
    if test is None:
        yield "  not run, because a required package is missing"
    elif test["passed"]:
        yield f"  passed in {test['seconds']} s ({test['engine']}):"
        yield f"  {test['faces']} faces found, {test['restored']} restored, no pixel outside it changed"
    else:
        yield from _wrap(f"failed after {test['seconds']} s: {test['error']}", "  ")


def _wrap(text: str, first: str, rest: str | None = None) -> list[str]:
    return wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=first if rest is None else rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
