"""Shows the progress of `facefix fix`, counts, and hands each finished image to report, sheet, and gallery."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PIL.Image import Image as Pillow

from ..batch import MAX_SHEET_IMAGES, STOPPED, Done, Gallery, Report, explain_absent, has_failed
from .terminal import escape_controls, print_lines

if TYPE_CHECKING:
    from tqdm import tqdm


@dataclass(frozen=True, slots=True)
class ImageProgress:
    """A `Progress` that shows the progress within the current image."""

    bar: tqdm[Any] | None
    """Progress bar of all images; None if none is shown."""
    name: str
    """File name of the current image."""

    def step(self, done: int, total: int, doing: str) -> None:
        """Show the number of finished faces and the current step after the progress bar."""
        if self.bar is not None:
            self.bar.set_postfix_str(escape_controls(f"{self.name}: {done}/{total} faces, {doing}"))

    def should_stop(self) -> bool:
        """Return False. Ctrl-C stops the run with an exception instead."""
        return False


@dataclass(slots=True)
class Tally:
    """What has become of the images so far, and where that is told."""

    total: int
    """Number of all images, with those of earlier runs."""
    quiet: bool
    to_error: bool
    """True to print everything to standard error, as an image goes to standard output."""
    wanted: Mapping[str, frozenset[int]]
    """Face numbers that the user names, by their text."""
    bar: tqdm[Any] | None
    report: Report | None
    gallery: Gallery | None
    done: int = 0
    """Images that were finished in this run."""
    failures: int = 0
    """Images that have failed, or a face of which has."""
    is_restored: bool = False
    """True once a face was to be restored."""
    is_stopped: bool = False
    """True once the user has stopped the run."""
    stopped: str = ""
    """Path of the image that was being fixed when the run was stopped."""
    strips: list[Pillow] = field(default_factory=list)
    sheet_images: int = 0
    started: float = field(default_factory=time.monotonic)

    def put(self, done: Done) -> None:
        """Take a finished image: print, count, and report it."""
        record = done.record
        failed = record["error"] is not None
        if failed or not self.quiet:
            print_lines(done.lines, error=failed or self.to_error)
        if not failed and not record["skipped"]:
            absent = explain_absent(self.wanted, record)
            print_lines((f"facefix: {record['path']}: {line}" for line in absent), error=True)
            self.done += 1
        self.failures += has_failed(record)
        self.is_restored |= any(face["decision"] == "restore" for face in record["faces"])
        if record["error"] == STOPPED:
            self.stopped = record["path"]
        if done.strips and self.sheet_images < MAX_SHEET_IMAGES:
            self.strips += done.strips
            self.sheet_images += 1
        self.note(record)
        if self.gallery and not record["skipped"]:
            self.gallery.add(record, done.preview)
        if self.bar is not None:
            self.bar.set_postfix_str(f"{self.failures} failed" if self.failures else "")
            self.bar.update()

    def note(self, record: Mapping[str, Any]) -> None:
        """Add an image to the report, if there is one."""
        if self.report:
            self.report.add(record)

    def explain_stop(self, earlier: int) -> str:
        """Return the sentence for a run that the user has stopped. earlier: number of images done by earlier runs."""
        where = f"stopped at {self.stopped}" if self.stopped else "stopped"
        return f"{where}; {self._count_done(earlier)}"

    def summarize(self, earlier: int) -> str:
        """Return a sentence on a whole folder. earlier: number of images that were done by earlier runs."""
        seconds = time.monotonic() - self.started
        rate = self.done / seconds if seconds else 0.0
        failed = f", {self.failures} failed" if self.failures else ""
        return f"{self._count_done(earlier)}{failed}; {_show_time(seconds)}, {rate:.2f} images/s"

    def _count_done(self, earlier: int) -> str:
        before = f", {earlier} done earlier" if earlier else ""
        return f"{self.done} of {self.total} images done{before}"


def make_bar(arguments: argparse.Namespace, total: int, earlier: int) -> tqdm[Any] | None:
    """Return the progress bar, or None where it would not be visible: importing tqdm takes a while."""
    if arguments.quiet or not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    return tqdm(total=total, initial=earlier, unit="image", leave=False, smoothing=0.05)


def _show_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
