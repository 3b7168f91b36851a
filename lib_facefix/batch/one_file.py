"""Fixes one file and writes the result, for programs that use the library."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from ..protocols import Engine, Progress
from ..provenance import Recorder
from ..settings.face_settings import FaceSettings
from ..settings.treatment import Overrides
from .batch_runner import Batch
from .planners import make_planner


class Silent:
    """A `Progress` that nobody sees."""

    def step(self, done: int, total: int, doing: str) -> None:
        """Ignore the progress."""

    def should_stop(self) -> bool:
        """Return False."""
        return False


def fix_file(
    engine: Engine,
    source: str | PathLike[str],
    target: str | PathLike[str],
    settings: FaceSettings | None = None,
    *,
    overrides: Overrides | None = None,
    progress: Progress | None = None,
    mark: bool = True,
    again: bool = False,
    sign: tuple[str | PathLike[str], str | PathLike[str]] | None = None,
) -> Mapping[str, Any]:
    """Fix the faces in an image file, write the result, and return its report, as described in docs/json.md.

    Example: `fix_file(FaceFix(), "old.jpg", "new.jpg", FaceSettings(method="restore"))`. All metadata is kept. If
    nothing changes, `target` becomes a copy of `source`. `target` may be `source` itself, and is replaced. Every page
    of a TIFF file, and every frame of an animation, is fixed; faces are numbered on each page anew.

    mark: whether a changed file says in its XMP that, and how, FaceFix changed it. again: whether an image with such a
    mark is fixed again; otherwise it is left as it is, and "fixed_before" in the report says so. sign: PEM files of a
    certificate and of its private key, to sign the result with Content Credentials (needs the extra `c2pa`).
    Raises a `FaceFixError`. A face that fails is in the report.
    """
    signer = None
    if sign:
        from ..provenance.credentials import Signer  # which few runs need

        signer = Signer(*map(Path, sign))
    batch = Batch(
        engine,
        make_planner(engine, settings or FaceSettings(), overrides),
        recorder=Recorder(mark, again, signer),
        pages=True,
        raises=True,
    )
    batch.fix(Path(source), Path(target), progress or Silent())
    return batch.records[0]
