"""A web page in one file with small pictures of all images before and after, the most doubtful first."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast
from urllib.parse import quote

from ..errors import FaceFixError
from ..fsio import atomic_write, cannot_write
from ..pictures import read_picture
from ..pictures.objects import as_url, is_remote, read_object
from ..types import Image
from .journal_lines import list_lines, pack_line
from .overlap import Job
from .preview import Preview, make_preview, preview_result
from .report import has_failed, summarize_faces
from .report_file import KEPT_BYTES, largest_distance

MAX_IMAGES = 10_000
"""Images on a page, the first ones in its order: more would make browsers slow."""
KINDS = {"": "All", "failed": "Failed", "drifted": "Looks different", "fixed": "Fixed", "unchanged": "Unchanged"}
"""Groups of images that the page can show alone, with their labels."""
STATES = {"failed": "failed", "drifted": "looks different"}
"""Groups that a card names."""
DRIFTED = ("drifted", "backed off", "left")
"""Verdicts of the identity guard on a face that looked like somebody else, at least at first."""
EARLIER = "done by an earlier run"


class _Card(NamedTuple):
    """An image on the page, without its pictures."""

    order: tuple[float, str]
    """Sorts the images of a page."""
    kind: str
    place: int
    """Where its line begins in the file of pictures."""


class Gallery:
    """A gallery that grows while a batch runs. Pictures wait in a file, so that memory stays small."""

    def __init__(self, path: Path, waiting: Path | None = None) -> None:
        """path: of the page. waiting: file for the pictures, which a later run uses again; none for a temporary one.

        Raises `CannotWrite`.
        """
        self._path, self._cards = path, dict[str, _Card]()
        try:
            opened = waiting.open("a+b") if waiting else tempfile.SpooledTemporaryFile(KEPT_BYTES)  # noqa: SIM115
            self._file = cast(BinaryIO, opened)
            self._read()
        except OSError as error:
            raise cannot_write(waiting or path, error) from error

    def add(self, record: Mapping[str, Any], preview: Preview | None) -> None:
        """Add a finished image; raises `CannotWrite`."""
        measured = [face["identity"] for face in record["faces"] if face.get("identity")]
        drifted = any(check["verdict"] in DRIFTED for check in measured)
        changed = any(face.get("outcome") == "fixed" for face in record["faces"]) or record["upscale"]
        kind = "failed" if has_failed(record) else "drifted" if drifted else "fixed" if changed else "unchanged"
        distance = largest_distance(record)
        failures = [face["error"] for face in record["faces"] if face.get("error")]
        text = record["error"] or record["fixed_before"] or summarize_faces(record)
        if distance is not None:
            text += f"; distance to the face before: {distance:.2f}"
        self._put(record["path"], record["output"], kind, "; ".join([text, *failures]), _rate(measured), preview)

    def add_earlier(self, job: Job) -> None:
        """Add an image that an earlier run has done, unless its pictures are there. Raises `CannotWrite`."""
        path = as_url(job.source)
        if path in self._cards:
            return
        after = _read_image(job.target)
        before = after if job.source == job.target else _read_image(job.source)
        preview = None
        if before is not None:
            preview = make_preview(before, after)
        elif after is not None:
            preview = preview_result(after)
        self._put(path, as_url(job.target), "fixed", EARLIER, 0.0, preview)

    def close(self) -> tuple[str, ...]:
        """Write the page, and return notes on what the drive refused; raises `CannotWrite`."""
        with self._file:
            return atomic_write(self._path, self._write)

    def _put(self, path: str, output: str | None, kind: str, text: str, rate: float, preview: Preview | None) -> None:
        pictures = [base64.b64encode(one).decode() for one in (preview.before, preview.after)] if preview else []
        size = preview.size if preview else None
        line = {"path": path, "output": output, "kind": kind, "text": text, "rate": rate}
        packed = pack_line({**line, "pictures": pictures, "size": size})
        try:
            place = self._file.seek(0, os.SEEK_END)
            self._file.write(packed)
            self._file.flush()
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._keep(line, place)

    def _keep(self, line: Mapping[str, Any], place: int) -> None:
        order = {"failed": 2.0, "unchanged": 0.0}.get(line["kind"], max(1e-6, float(line["rate"])))
        self._cards[line["path"]] = _Card((-order, line["path"]), line["kind"], place)

    def _read(self) -> None:
        """Read what an earlier run has left: damaged lines are ignored, and a last one that was cut off is removed."""
        self._file.seek(0)
        place = 0
        for raw in iter(self._file.readline, b""):
            if not raw.endswith(b"\n"):
                self._file.truncate(place)
                return
            for line in list_lines(raw)[0]:
                self._keep(line, place)
            place += len(raw)

    def _write(self, file: BinaryIO) -> None:
        cards = sorted(self._cards.values())
        page = Path(__file__).with_suffix(".html").read_text("utf-8")
        start, _, end = page.partition("<!--CARDS-->")
        for mark, text in (
            ("POLICY", _make_policy(page)),
            ("SUMMARY", _summarize(cards)),
            ("KINDS", _list_kinds(cards)),
        ):
            start = start.replace(f"<!--{mark}-->", text)
        file.write(start.encode())
        for card in cards[:MAX_IMAGES]:
            self._file.seek(card.place)
            [line], _ = list_lines(self._file.readline())
            file.write(_draw(line, self._path).encode("utf-8", "replace"))
        file.write(end.encode())


def _read_image(path: Path) -> Image | None:
    """Return the image of a file or an object, None if it cannot be read: the page says so."""
    with contextlib.suppress(FaceFixError):
        return read_picture(io.BytesIO(read_object(path)[0]) if is_remote(path) else path, as_url(path)).image
    return None


def _make_policy(page: str) -> str:
    """Return the page's Content-Security-Policy: its own style and script, and pictures in it or beside it."""
    hashes = {}
    for tag in ("style", "script"):
        text = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        hashes[tag] = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data: file: 'self'; style-src 'sha256-{hashes['style']}'; "
        f"script-src 'sha256-{hashes['script']}'; base-uri 'none'; form-action 'none'"
    )


def _rate(measured: Sequence[Mapping[str, Any]]) -> float:
    """Return how near the worst face is to looking like somebody else, 0 to 2: its distance, in limits."""
    known = [check for check in measured if check["distance"] is not None and check["limit"]]
    return min(2.0, max((check["distance"] / check["limit"] for check in known), default=0.0)) * 0.999


def _summarize(cards: Sequence[_Card]) -> str:
    failed = sum(card.kind == "failed" for card in cards)
    shown = f"; the first {MAX_IMAGES:,} are shown" if len(cards) > MAX_IMAGES else ""
    return f"{len(cards):,} image{'' if len(cards) == 1 else 's'}, {failed:,} failed{shown}"


def _list_kinds(cards: Sequence[_Card]) -> str:
    counts = Counter(card.kind for card in cards)
    counts[""] = len(cards)
    return "\n".join(
        f'<label class="choice"><input type="radio" name="kind" value="{kind}"{"" if kind else " checked"}>'
        f"<span>{label} ({counts[kind]:,})</span></label>"
        for kind, label in KINDS.items()
    )


def _draw(line: Mapping[str, Any], page: Path) -> str:
    """Return an image as HTML. Nothing in it is trusted: names and errors come from files of others.

    page: file of the page, from which its links lead.
    """
    name, kind = Path(line["path"]).name, line["kind"] if line["kind"] in KINDS else "unchanged"
    parts = []
    for word, packed in zip(("before", "after"), line["pictures"] or ("", ""), strict=True):
        if packed:
            width, height = map(int, line["size"])
            parts.append(
                f'<img loading="lazy" decoding="async" width="{width}" height="{height}" '
                f'alt="{escape(name)} {word}" src="data:image/jpeg;base64,{escape(packed)}">'
            )
        else:
            parts.append(f"<span>no image {word}</span>")
    title = f"<bdi>{escape(line['path'])}</bdi>"
    after = _link(line["output"], page)
    before = _link(line["path"], page) if line["output"] != line["path"] else ""  # which is not the image before now
    files = "".join(f' data-{word}="{escape(link)}"' for word, link in (("before", before), ("after", after)) if link)
    if after:
        title = f'<a href="{escape(after)}">{title}</a>'
    if kind in STATES:
        title += f' <span class="state">{STATES[kind]}</span>'
    return (
        f'<article class="card {kind}" data-name="{escape(line["path"].lower())}" aria-label="{escape(name)}"{files}>'
        f'<button type="button" class="pair" tabindex="-1" aria-haspopup="dialog">{"".join(parts)}</button>'
        f"<h2>{title}</h2><p>{escape(line['text'])}</p></article>\n"
    )


def _link(path: str | None, page: Path) -> str:
    """Return the address of a file, relative to the page; blank if there is none, or it is in an object store."""
    if not path or is_remote(path):
        return ""
    target = Path(os.path.realpath(path))
    try:
        below = os.path.relpath(target, os.path.realpath(page.parent))
    except ValueError:  # on Windows: another drive
        return target.as_uri()
    return quote(os.fsencode(below.replace(os.sep, "/")))
