"""Many images: runs that are killed, several processes, long listings, and large galleries.

    python -m benchmarks.bulk kill [--images 10000] [--jobs 2]
    python -m benchmarks.bulk jobs [--images 24]
    python -m benchmarks.bulk listing [--images 100000]
    python -m benchmarks.bulk gallery [--images 2000]

`kill` fixes small images, of which one in a hundred has a face, and kills the run (SIGKILL, with all its processes)
five times at random moments. In the end every result must be what one undisturbed run writes, with nothing else in the
folder, and the journal tells which images were done more than once: at most those that were in flight. It also measures
how long a run that was started again takes until its first new result.

`jobs` fixes photos of 1024 px with one process and with two, each with one thread, in turn, and compares images an hour
and memory. On a machine with other work, the ratio of processor time to elapsed time tells how much of two cores there
was; the ratio of processor times tells what two processes cost.

`listing` makes a folder of tiny images that are all done but one, and continues it: time to list, time to the first
result, and memory against the same run of one image.

`gallery` makes a page of so many images, and opens it in Chromium without a network.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image as Pillow

from .photos import ROOT
from .report import say

FACE = ROOT / "examples" / "astronaut.jpg"
QUICK = ["--detector", "blazeface", "--angles", "off", "--method", "restore"]
"""Flags for which an image without a face takes some milliseconds."""
KILLS = 5


def measure_kills(count: int, jobs: int, folder: Path) -> None:
    """Kill a run five times, continue it each time, and check the results."""
    album, out = folder / "album", folder / "out"
    expected = _make_album(album, count, folder)
    rng, killed = random.Random(19), 0
    moments = sorted(rng.sample(range(count // 20, count - count // 20), KILLS))
    while True:
        started, before = time.monotonic(), _count_lines(out)
        running = _start(album, "-o", str(out), "--jobs", str(jobs), "-q")
        while running.poll() is None and _count_lines(out) == before:
            time.sleep(0.005)
        if running.poll() is None:
            say(f"kill: first new result {time.monotonic() - started:.1f} s after start {killed + 1}; {before} done")
        if killed == KILLS:
            break
        while running.poll() is None and _count_lines(out) < moments[killed]:
            time.sleep(rng.uniform(0, 0.05))
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        killed += 1
    if running.wait():
        raise RuntimeError("the last run failed")
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.*") if path.is_file()}
    images = {name: content for name, content in found.items() if not name.startswith(".facefix")}
    wrong = [name for name in {*images, *expected} if images.get(name) != expected.get(name)]
    again = [name for name, lines in _count_targets(out).items() if lines > 1]
    say(f"kill: {len(images)} results of {count}, {len(wrong)} wrong or foreign files {wrong[:5]}")
    say(f"kill: {len(again)} images were in flight at {KILLS} kills and done again; all others once")


def measure_jobs(count: int, folder: Path) -> None:
    """Compare one process with two, in turn."""
    album = folder / "album"
    album.mkdir()
    for number, path in zip(range(count), _photos() * count, strict=False):
        with Pillow.open(path) as opened:
            photo = opened.convert("RGB")
            factor = 1024 / max(photo.size)
            photo.resize((round(photo.width * factor), round(photo.height * factor))).save(album / f"{number:03}.jpg")
    spent: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for turn in range(3):
        for jobs in (1, 2):
            out = folder / f"out{turn}-{jobs}"
            started, cpu = time.monotonic(), _children_seconds()
            running = _start(album, "-o", str(out), "--jobs", str(jobs), "-q", quick=False)
            memory = _watch_memory(running)
            elapsed, used = time.monotonic() - started, _children_seconds() - cpu
            spent[jobs].append((elapsed, used))
            rate = count / elapsed * 3600
            say(f"jobs {jobs}: {elapsed:.1f} s, {used:.1f} s of processor time ({used / elapsed:.2f} cores), "
                f"{rate:.0f} images/h, {memory / 1e9:.2f} GB")  # fmt: skip
    walls, cpus = ([min(one[part] for one in spent[jobs]) for jobs in (1, 2)] for part in (0, 1))
    say(f"jobs: {walls[0] / walls[1]:.2f}x faster with two processes, for {cpus[1] / cpus[0]:.2f}x the processor time")
    same = all((folder / "out0-1" / path.name).read_bytes() == (folder / "out0-2" / path.name).read_bytes()
               for path in album.iterdir())  # fmt: skip
    say(f"jobs: the same bytes: {same}")


def measure_listing(count: int, folder: Path) -> None:
    """List a folder of tiny images, continue a run in it, and measure time and memory."""
    album, out, one = folder / "album", folder / "out", folder / "one"
    one.mkdir(parents=True)
    rng = np.random.default_rng(4)
    _save(one / "a.png", rng.integers(0, 256, 3))
    for number in range(count):
        place = album / f"d{number // 1000:03}" / f"p{number % 1000:03}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        _save(place, np.array([number % 256, number // 256 % 256, number // 65536]))
    started = time.monotonic()
    say(f"listing: making {count} results, about 5 minutes for 100,000")
    with patch("lib_facefix.facefix.FaceFix._detect", lambda *_: ()):  # of nothing but these two, for it takes hours
        from lib_facefix.cli.__main__ import main

        main(["fix", str(album), "-o", str(out), "-q", *QUICK])
    say(f"listing: made, and done without looking for faces, in {time.monotonic() - started:.0f} s")
    (out / "d000" / "p007.png").unlink()
    alone = _measure_run(one, folder / "out-one")
    from lib_facefix.batch import choose_targets, exclude_results
    from lib_facefix.pictures import find_pictures

    started = time.monotonic()
    found = find_pictures([str(album)])
    say(f"listing: {len(found)} images found in {time.monotonic() - started:.1f} s")
    choose_targets(exclude_results(found, [str(album)], str(out)), str(out), in_place=False)
    say(f"listing: and their targets chosen after {time.monotonic() - started:.1f} s")
    whole = _measure_run(album, out)
    say(f"listing: one image {alone[0]:.1f} s, {alone[1] / 1e6:.0f} MB; {count} images of which one is left "
        f"{whole[0]:.1f} s, {whole[1] / 1e6:.0f} MB: {(whole[1] - alone[1]) / 1e6:.0f} MB more")  # fmt: skip


def measure_gallery(count: int, folder: Path) -> None:
    """Make a large gallery and open it in Chromium."""
    from lib_facefix.batch.gallery import Gallery
    from lib_facefix.batch.preview import make_preview
    from lib_facefix.batch.report import new_record

    rng = random.Random(5)
    photos = [np.array(Pillow.open(path).convert("RGB")) for path in _photos()]
    previews = [make_preview(photo, photo[::-1]) for photo in photos]
    gallery = Gallery(folder / "gallery.html")
    for number in range(count):
        record = new_record(Path(f"album/{number:05}.jpg"))
        distance = rng.uniform(0, 0.6)
        check = {"distance": distance, "limit": 0.45, "verdict": "kept" if distance < 0.45 else "drifted"}
        record["faces"] = [{"number": 1, "outcome": "fixed", "error": None, "identity": check}]
        record.update(output=f"out/{number:05}.jpg", size=[100, 100], upscale=None)
        if number % 97 == 0:
            record["error"] = f"album/{number:05}.jpg is damaged"
        gallery.add(record, previews[number % len(previews)])
    gallery.close()
    page = folder / "gallery.html"
    say(f"gallery: {count} images, {page.stat().st_size / 1e6:.1f} MB")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=os.environ.get("FACEFIX_CHROMIUM", "/usr/bin/chromium"))
        context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
        tab = context.new_page()
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url[:40]))
        started = time.monotonic()
        tab.goto(page.as_uri(), wait_until="load")
        tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        say(f"gallery: opened in {time.monotonic() - started:.2f} s (elapsed)")
        say(f"gallery: requests besides data: {[url for url in asked if not url.startswith('data:')][1:]}")
        tab.screenshot(path=str(ROOT / "build" / "gallery.png"))
        browser.close()


def _make_album(album: Path, count: int, folder: Path) -> dict[str, bytes]:
    """Make small images in subfolders, and return what the result of each must be."""
    (folder / "face").mkdir(parents=True)
    with Pillow.open(FACE) as opened:
        opened.convert("RGB").resize((96, 90)).save(folder / "face" / "face.jpg")
    if _start(folder / "face", "-o", str(folder / "face-out"), "-q").wait():
        raise RuntimeError("the first run failed")
    face, fixed = (folder / name / "face.jpg" for name in ("face", "face-out"))
    expected = {}
    for number in range(count):
        name = f"d{number // 500:02}/p{number % 500:03}.{'jpg' if number % 100 == 7 else 'png'}"
        path = album / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".jpg"):
            shutil.copy(face, path)
        else:
            _save(path, np.array([number % 256, number // 256, 90]))
        expected[name] = (fixed if name.endswith(".jpg") else path).read_bytes()
    return expected


def _save(path: Path, colour: Any) -> None:
    Pillow.fromarray(np.full((16, 16, 3), colour, np.uint8)).save(path)


def _photos() -> list[Path]:
    return [*sorted((ROOT / "tests" / "data").glob("*.jpg")), FACE]


def _start(album: Path, *flags: str, quick: bool = True) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "lib_facefix", "fix", str(album), *flags, *(QUICK if quick else [])]
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environ, start_new_session=True)


def _count_lines(out: Path) -> int:
    path = out / ".facefix" / "journal"
    return path.read_bytes().count(b'{"target":"') if path.exists() else 0


def _count_targets(out: Path) -> Counter[str]:
    """Return how many lines the journal has for each result."""
    path = out / ".facefix" / "journal"
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    return Counter(line.split(b'"', 5)[3].decode() for line in lines if b'{"target":"' in line)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch_memory(running: subprocess.Popen[bytes]) -> float:
    """Wait for a run, and return the largest memory of all its processes together, in bytes."""
    most = 0
    while running.poll() is None:
        most = max(most, sum(_memory_of(pid) for pid in _family(running.pid)))
        time.sleep(0.1)
    return most


def _family(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *(other for child in children for other in _family(int(child)))]
    return []


def _memory_of(pid: int) -> int:
    """Return the proportional memory of a process: what several share is divided among them."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return 0


def _measure_run(album: Path, out: Path) -> tuple[float, float]:
    """Return the seconds that a run takes, and the largest memory of its process, in bytes."""
    started = time.monotonic()
    running = _start(album, "-o", str(out), "-q")
    _, status, usage = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise RuntimeError(f"the run failed with {running.returncode}")
    return time.monotonic() - started, usage.ru_maxrss * 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("kill", "jobs", "listing", "gallery"))
    parser.add_argument("--images", type=int, help="number of images")
    parser.add_argument("--jobs", type=int, default=2, help="processes of `kill`")
    parser.add_argument("--in", dest="folder", type=Path, help="folder for the files; default: a temporary one")
    options = parser.parse_args()
    with TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        if options.what == "kill":
            measure_kills(options.images or 10_000, options.jobs, folder)
        elif options.what == "jobs":
            measure_jobs(options.images or 24, folder)
        elif options.what == "listing":
            measure_listing(options.images or 100_000, folder)
        else:
            measure_gallery(options.images or 2000, folder)


if __name__ == "__main__":
    main()
