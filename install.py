"""Installs optional packages; the WebUI runs this file at its start, with its own Python.

Only packages chosen in Settings > FaceFix are installed. Installed packages keep their versions, and no second OpenCV
is added. If that is impossible, a message says so, and the start goes on.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

HERE = Path(__file__).absolute().parent  # not resolved: the host's data folder is around the link, if this is a link
DECLARED = HERE / "lib_facefix" / "webui" / "config" / "optional_packages.py"
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
"""Packages that contain cv2; two of them would overwrite each other."""
VERSION = re.compile(r"\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9.]+)?")
"""Versions that pip accepts in constraints."""

CONFLICT = re.compile(r"^(.+ depends on .+)\n\s*The user requested \(constraint\) (.+)$", re.MULTILINE)
"""Pip's message about a conflict with an installed package."""


def main() -> None:
    """Install the chosen packages that are missing."""
    declared = runpy.run_path(str(DECLARED))
    flags = parse_host_flags()
    for name in read_choices(Path(flags.ui_settings_file), declared["KEY"], declared["OPTIONAL"]):
        missing = [requirement for requirement in declared["OPTIONAL"][name] if is_missing(requirement)]
        if missing and not flags.skip_install:
            say(install(name, missing, flags.facefix_offline))


def say(sentence: str) -> None:
    """Print a message; the host shows it afterwards."""
    print(f"FaceFix: {sentence}")  # noqa: T201


def parse_host_flags() -> argparse.Namespace:
    """Return the host's flags from COMMANDLINE_ARGS, the only ones an installer can see, and from its own arguments."""
    off = os.environ.get("FACEFIX_OFFLINE", "").strip().lower() not in ("", "0", "no", "false", "off")
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--ui-settings-file", default=str(HERE.parent.parent / "config.json"))
    parser.add_argument("--skip-install", action="store_true")
    parser.add_argument("--facefix-offline", action="store_true", default=off)
    host_arguments = shlex.split(os.environ.get("COMMANDLINE_ARGS", ""))
    return parser.parse_known_args([*host_arguments, *sys.argv[1:]])[0]


def read_choices(settings: Path, key: str, offered: Iterable[str]) -> list[str]:
    """Return the names chosen in the host's settings file; none if a new host has no such file."""
    if not settings.is_file():
        return []
    saved = json.loads(settings.read_text("utf-8"))
    names = saved.get(key) if isinstance(saved, Mapping) else None
    return [name for name in offered if isinstance(names, list) and name in names]


def is_missing(requirement: str) -> bool:
    """Return whether the package cannot be imported; another package may provide it, such as onnxruntime-gpu."""
    importlib.invalidate_caches()
    found = importlib.util.find_spec(package_name(requirement))
    return found is None or found.origin is None


def package_name(requirement: str) -> str:
    """Return "onnx" of "onnx>=1.15"."""
    return re.split(r"[^\w-]", requirement)[0]


def install(name: str, requirements: list[str], offline: bool) -> str:
    """Install the missing packages of one choice with pip; return a message about the outcome."""
    packages = " and ".join(map(package_name, requirements))
    if offline:
        return f"{packages} for {name!r} cannot be installed, because FaceFix must not use the network."
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "constraints.txt"
        kept.write_text("".join(f"{line}\n" for line in list_constraints()), "utf-8")
        index = ["--index-url", os.environ["INDEX_URL"]] if os.environ.get("INDEX_URL") else []
        command = [sys.executable, "-m", "pip", "install", "--prefer-binary", "--disable-pip-version-check", *index]
        done = subprocess.run(
            [*command, "-c", str(kept), *requirements],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
    if done.returncode == 0:
        return f"{packages} installed for {name!r}."
    return (
        f"{packages} for {name!r} could not be installed ({explain_failure(done.stdout)}). Nothing was "
        f"changed, and FaceFix works without it. To stop trying, untick {name!r} in Settings > FaceFix."
    )


def list_constraints() -> list[str]:
    """Return constraints for pip that pin every installed package and exclude a second OpenCV."""
    installed: dict[str, str] = {}
    for package in importlib.metadata.distributions():
        facts = package.metadata
        if "Name" in facts and "Version" in facts and VERSION.fullmatch(facts["Version"]):
            installed.setdefault(re.sub(r"[-_.]+", "-", facts["Name"]).lower(), facts["Version"])
    has_cv2 = any(name in installed for name in OPENCV)
    refused = [f"{name}<0" for name in OPENCV if has_cv2 and name not in installed]
    return [f"{name}=={version}" for name, version in sorted(installed.items())] + refused


def explain_failure(output: str) -> str:
    """Return the reason in the output of pip."""
    if found := CONFLICT.search(output):
        return f"{found[1].strip()}, but {found[2].strip()} is installed"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return next(iter(errors or reversed(lines)), "pip gives no reason")[:300].rstrip(".")


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # noqa: BLE001 optional packages must not stop the host
        say(f"optional packages were not checked ({type(error).__name__}: {error}). FaceFix works without them.")
