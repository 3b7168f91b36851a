"""Folders of images that `facefix fix` is run on, in this process and in others."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image as Pil

from lib_facefix.batch.journal_entries import FOLDER
from lib_facefix.cli import __main__ as command

PHOTO = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
QUICK = ["--detector", "blazeface", "--angles", "off", "--method", "restore"]


def make_album(folder):
    """Make ten images: three with a face, of which one cannot hold a mark, and plain ones; one of them in a folder."""
    (folder / "deep").mkdir(parents=True)
    with Pil.open(PHOTO) as opened:
        small = opened.convert("RGB").resize((256, 240))
    for name in ("face.jpg", "face.png", "face.bmp"):
        small.save(folder / name)
    for number in range(6):
        Pil.fromarray(np.full((20, 30, 3), 40 * number, np.uint8)).save(folder / f"plain{number}.png")
    Pil.fromarray(np.full((20, 30, 3), 9, np.uint8)).save(folder / "deep" / "plain.png")


def run(*arguments):
    return command.main([*map(str, arguments), *QUICK])


def start(*arguments, **more):
    words = [sys.executable, "-m", "lib_facefix", "fix", *map(str, arguments), *QUICK]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def contents(folder):
    """The content of all images below a folder, by their paths; hidden files must be the journal's."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    images = {name: content for name, content in files.items() if FOLDER not in Path(name).parts}
    assert not [name for name in images if Path(name).name.startswith(".")]
    return images


def targets_noted(folder):
    """The targets in the journals of a folder, once for each line."""
    lines = [line for path in (folder / FOLDER).glob("journal*") for line in path.read_text().splitlines()]
    return re.findall(r'"target":"([^"]*)"', "\n".join(lines))


def contents_without_parts(folder):
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".part")]
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in files if FOLDER not in path.parts
    }  # fmt: skip
