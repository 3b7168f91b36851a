"""Run by the WebUI when it starts, by its own Python. Nothing is required, and nothing is installed by itself.

What the person has chosen in Settings > FaceFix, and what is missing, is installed beside what is there: every
installed package keeps its version, and no second OpenCV comes. Where that fails, one sentence says so.
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

HERE = Path(__file__).absolute().parent  # not resolved: the host's data lie around the link, where this is one
DECLARED = HERE / "lib_facefix" / "webui" / "config" / "optional_packages.py"
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
"""Each brings cv2; two of them overwrite one another."""
VERSION = re.compile(r"\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9.]+)?")
"""How packages are numbered today; pip refuses constraints with older forms."""

CONFLICT = re.compile(r"^(.+ depends on .+)\n\s*The user requested \(constraint\) (.+)$", re.MULTILINE)
"""How pip says what does not go with an installed package."""


def main() -> None:
    """Install what is chosen and missing."""
    declared = runpy.run_path(str(DECLARED))
    flags = host_flags()
    for name in chosen(Path(flags.ui_settings_file), declared["KEY"], declared["OPTIONAL"]):
        missing = [requirement for requirement in declared["OPTIONAL"][name] if is_missing(requirement)]
        if missing and not flags.skip_install:
            say(install(name, missing, flags.facefix_offline))


def say(sentence: str) -> None:
    """Tell the person; the host shows it when this is through."""
    print(f"FaceFix: {sentence}")  # noqa: T201


def host_flags() -> argparse.Namespace:
    """Return what the host was told in COMMANDLINE_ARGS, all that an installer sees of its flags; or told here."""
    off = os.environ.get("FACEFIX_OFFLINE", "").strip().lower() not in ("", "0", "no", "false", "off")
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--ui-settings-file", default=str(HERE.parent.parent / "config.json"))
    parser.add_argument("--skip-install", action="store_true")
    parser.add_argument("--facefix-offline", action="store_true", default=off)
    told_host = shlex.split(os.environ.get("COMMANDLINE_ARGS", ""))
    return parser.parse_known_args([*told_host, *sys.argv[1:]])[0]


def chosen(settings: Path, key: str, offered: Iterable[str]) -> list[str]:
    """Return the names that the host's settings file chooses; a new host has no such file."""
    if not settings.is_file():
        return []
    saved = json.loads(settings.read_text("utf-8"))
    names = saved.get(key) if isinstance(saved, Mapping) else None
    return [name for name in offered if isinstance(names, list) and name in names]


def is_missing(requirement: str) -> bool:
    """Return whether the package cannot be imported, whoever may have brought it (onnxruntime-gpu, say)."""
    importlib.invalidate_caches()
    found = importlib.util.find_spec(package_of(requirement))
    return found is None or found.origin is None


def package_of(requirement: str) -> str:
    """Return "onnx" of "onnx>=1.15"."""
    return re.split(r"[^\w-]", requirement)[0]


def install(name: str, requirements: list[str], offline: bool) -> str:
    """Let pip install what is missing for one choice; return what came of it, as a sentence."""
    packages = " and ".join(map(package_of, requirements))
    if offline:
        return f"{packages} for {name!r} cannot be installed, as the network is not to be used."
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "constraints.txt"
        kept.write_text("".join(f"{line}\n" for line in constraints()), "utf-8")
        index = ["--index-url", os.environ["INDEX_URL"]] if os.environ.get("INDEX_URL") else []
        command = [sys.executable, "-m", "pip", "install", "--prefer-binary", "--disable-pip-version-check", *index]
        done = subprocess.run(
            [*command, "-c", str(kept), *requirements],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
    if done.returncode == 0:
        return f"{packages} installed for {name!r}."
    return (
        f"{packages} for {name!r} could not be installed beside what is here ({told(done.stdout)}). Nothing was "
        f"changed, and FaceFix works without; take the tick from {name!r} in Settings > FaceFix to be asked no more."
    )


def constraints() -> list[str]:
    """Return lines for pip that keep every installed package at its version, and a second OpenCV away."""
    installed: dict[str, str] = {}
    for package in importlib.metadata.distributions():
        facts = package.metadata
        if "Name" in facts and "Version" in facts and VERSION.fullmatch(facts["Version"]):
            installed.setdefault(re.sub(r"[-_.]+", "-", facts["Name"]).lower(), facts["Version"])
    has_cv2 = any(name in installed for name in OPENCV)
    refused = [f"{name}<0" for name in OPENCV if has_cv2 and name not in installed]
    return [f"{name}=={version}" for name, version in sorted(installed.items())] + refused


def told(output: str) -> str:
    """Return what pip says is wrong."""
    if found := CONFLICT.search(output):
        return f"{found[1].strip()}, and here is {found[2].strip()}"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return next(iter(errors or reversed(lines)), "pip does not say why")[:300].rstrip(".")


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # noqa: BLE001 the host's start is not to fail for what nobody needs
        say(f"optional packages were not looked at ({type(error).__name__}: {error}); it works without them.")
