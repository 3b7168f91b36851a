"""Which way one picture takes through the library, and what it costs to sort many faces into rounds.

    python -m benchmarks.road [fix|post|rounds] [--list]

`fix` is `facefix fix` of a photo with one face, `post` the same photo sent to POST fix. Both run once to load all,
and once more to be watched. Counted are the functions of `lib_facefix` that are handed the picture: an argument is the
picture's pixels (an array of its height and width), or an object of ours, a list or a tuple that holds them directly.
The bars are for this row. The row "with crops" also counts functions that are handed the crop of the face, and those
that give picture or crop back, small functions without a name too. Before the library was put into rooms, `fix` passed
46 functions in 21 files with 11 returns, with crops 70 in 26 with 20, and its stack was 18 deep.

Functions are put in the order of their first calls; then

- files: how many different files those functions are in,
- moves: how often the next function is in another file than the one before; the first file counts as a move,
- returns: how many of those moves lead back to a file that was left before,
- stack: the most functions of `lib_facefix` that are open at once in one thread, whatever they are handed. What only
  the first call of a process does (parsing a setting for the first time, a server's loading of models) is not seen.

`rounds` is the processor time in which 2,000 faces of one picture are sorted into rounds.
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FrameType, SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image as Pillow

import lib_facefix
from lib_facefix.cli.__main__ import main as facefix
from lib_facefix.pipeline.batching import Task, make_rounds
from lib_facefix.types import Box

PACKAGE = str(Path(lib_facefix.__file__).parent) + os.sep
PHOTO = Path(__file__).parents[1] / "examples" / "astronaut.jpg"
SIZE, CROP = (512, 480), (512, 512)
"""Width and height of what is used of the photo, which no crop has; and those of the crop that a restorer is given."""
METHOD = "restore"
FACES = 2000
"""Faces that are sorted into rounds."""
NAMELESS = "<lambda>"
BARS = {"functions": 30, "files": 15, "returns": 6, "stack": 12}
"""What the first row is to keep to."""


@dataclass
class Road:
    """What was seen on the way of one picture."""

    sizes: tuple[tuple[int, int], ...]
    """Width and height of the arrays that are looked for."""
    results: bool = False
    """Whether functions that give one back are counted, too, and those without a name."""
    called: dict[CodeType, int] = field(default_factory=dict)
    """Every function of ours, and the place of its first call among those of the others."""
    handed: set[CodeType] = field(default_factory=set)
    """Those that were handed such an array."""

    def see(self, frame: FrameType, event: str, result: object) -> None:
        """Look at a call, or a return, of a function of ours."""
        code = frame.f_code
        if event == "call":
            self.called.setdefault(code, len(self.called))
        if code in self.handed or not (_has_name(code) or (self.results and code.co_name == NAMELESS)):
            return
        if event == "call":
            seen = any(map(self._holds, _arguments(frame)))
        else:
            seen = self.results and event == "return" and self._holds(result)
        if seen:
            self.handed.add(code)

    @property
    def functions(self) -> list[CodeType]:
        """Those that were handed such an array, in the order of their first calls."""
        return sorted(self.handed, key=self.called.__getitem__)

    def figures(self) -> dict[str, int]:
        """Return the counts by name."""
        files = [_file(code) for code in self.functions]
        moves = sum(now != before for before, now in zip(["", *files], files, strict=False))
        different = len(set(files))
        return {"functions": len(files), "files": different, "moves": moves, "returns": moves - different}

    def _holds(self, value: object) -> bool:
        held = value if isinstance(value, list | tuple) else _attributes(value)
        return self._is_one(value) or any(map(self._is_one, held))

    def _is_one(self, value: object) -> bool:
        return isinstance(value, np.ndarray) and value.ndim > 1 and value.shape[1::-1] in self.sizes


@dataclass
class Watch:
    """Two roads, the narrow and the wide one, and the deepest stack."""

    picture: Road = field(default_factory=lambda: Road((SIZE,)))
    with_crops: Road = field(default_factory=lambda: Road((SIZE, CROP), results=True))
    deepest: list[str] = field(default_factory=list)
    """The functions of the deepest stack, the outermost first."""

    def see(self, frame: FrameType, event: str, result: object) -> None:
        """Look at one event, as `sys.setprofile` reports it."""
        if event.startswith("c_") or not _is_ours(frame.f_code):
            return
        self.picture.see(frame, event, result)
        self.with_crops.see(frame, event, result)
        stack = list(_stack(frame))
        if len(stack) > len(self.deepest):
            self.deepest = stack[::-1]


def watch(way: Callable[[Path, Path], None]) -> Watch:
    """Send the photo that way twice; return what was seen the second time."""
    seen = Watch()
    with TemporaryDirectory() as folder, Pillow.open(PHOTO) as picture:
        photo = Path(folder, "photo.png")
        picture.crop((0, 0, *SIZE)).save(photo)
        way(photo, Path(folder, "first.png"))
        threading.setprofile(seen.see)
        sys.setprofile(seen.see)
        try:
            way(photo, Path(folder, "second.png"))
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
    return seen


def fix(photo: Path, target: Path) -> None:
    """Run `facefix fix`."""
    if facefix(["fix", str(photo), "--output", str(target), "--quiet", "--method", METHOD]):
        raise SystemExit("facefix fix failed")


def post(photo: Path, _: Path) -> None:
    """Send the photo to the app of `facefix serve`."""
    from fastapi.testclient import TestClient

    from lib_facefix.server.app import app
    from lib_facefix.server.routes import PREFIX

    body = {"image": base64.b64encode(photo.read_bytes()).decode(), "settings": {"method": METHOD}}
    with TestClient(app(_host()), base_url="http://localhost") as client:
        client.post(f"{PREFIX}/fix", json=body).raise_for_status()


@cache
def _host() -> Any:
    """Return the host of every app: its models stay loaded, as those of a server do."""
    from lib_facefix.server.app import StandaloneHost

    return StandaloneHost()


WAYS = {"fix": fix, "post": post}


def seconds_of_rounds() -> float:
    """Return the processor time in which `FACES` faces are sorted into rounds; every second one meets the next."""
    tasks = [_task(number) for number in range(FACES)]
    started = time.process_time()
    count = sum(map(len, make_rounds(tasks)))
    spent = time.process_time() - started
    assert count == FACES
    return spent


def _task(number: int) -> Task:
    left = 100.0 * (number // 2) + 40 * (number % 2)
    known = {"picture": 0, "key": 0, "reach": Box(left, 0, left + 50, 50), "asked": SimpleNamespace(number=number)}
    given: Any = {one.name: known.get(one.name) for one in fields(Task)}  # nothing looks at the rest
    return Task(**given)


def _attributes(value: object) -> Iterator[object]:
    """Yield what an object of ours holds; properties are not asked."""
    if type(value).__module__.startswith("lib_facefix"):
        yield from getattr(value, "__dict__", {}).values()
        if is_dataclass(value):
            yield from (getattr(value, one.name, None) for one in fields(value))


def _arguments(frame: FrameType) -> Iterator[object]:
    code = frame.f_code
    return (frame.f_locals.get(name) for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _stack(frame: FrameType | None) -> Iterator[str]:
    while frame:
        if _is_ours(frame.f_code) and _has_name(frame.f_code):
            yield f"{_file(frame.f_code)}:{frame.f_code.co_name}"
        frame = frame.f_back


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(PACKAGE)


def _has_name(code: CodeType) -> bool:
    """Return whether it is a function with a name, and no module, comprehension or lambda."""
    return not code.co_name.startswith("<")


def _file(code: CodeType) -> str:
    return code.co_filename.removeprefix(PACKAGE).replace(os.sep, "/")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.road", description=__doc__.partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=[*WAYS, "rounds"], help="one of them; default: all")
    parser.add_argument("--list", action="store_true", help="also name the functions, and those of the deepest stack")
    options = parser.parse_args()
    for name, way in WAYS.items():
        if options.what in (None, name):
            _show(name, watch(way), named=options.list)
    if options.what in (None, "rounds"):
        sys.stdout.write(f"rounds: {seconds_of_rounds():.2f} s of processor time for {FACES} faces (at most 0.3)\n")


def _show(name: str, seen: Watch, *, named: bool) -> None:
    figures = {**seen.picture.figures(), "stack": len(seen.deepest)}
    bars = (f"{what} {count}" + (f" (at most {BARS[what]})" if what in BARS else "") for what, count in figures.items())
    lines = [f"{name}: {', '.join(bars)}"]
    lines += [f"{name}, with crops: {', '.join(f'{what} {n}' for what, n in seen.with_crops.figures().items())}"]
    if named:
        for road in (seen.picture, seen.with_crops):
            lines += [
                "",
                *(f"{number:4} {_file(code)}:{code.co_name}" for number, code in enumerate(road.functions, 1)),
            ]
        lines += ["", "the deepest stack:", *(f"     {function}" for function in seen.deepest), ""]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
