"""FaceFix's restorers in the host's Settings > Face restoration, for its option "Restore faces"."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..errors import FaceFixError
from ..registry import BUILT_IN, RESTORERS, UPSCALERS, ModelInfo
from ..settings.face_settings import FaceSettings
from .config.options import read_options

if TYPE_CHECKING:
    from ..protocols import FaceFixer
    from ..types import Image

_BUILT_IN_NAME, _FORMER_NAME = "FaceFix built-in", "FaceFix lite"
"""Name of the built-in restorer in the host's settings, today and in FaceFix 0.2.0."""
_latest = threading.local()
"""Has the failure of the latest call of a restorer in each thread."""


def take_failure() -> Exception | None:
    """Return why the latest "Restore faces" in this thread changed nothing, once; None if it did, or found no face."""
    failure: Exception | None = getattr(_latest, "failure", None)
    _latest.failure = None
    return failure


def list_restorers() -> tuple[ModelInfo[FaceFixer], ...]:
    """Return the restorers made for faces.

    General upscalers (Real-ESRGAN) are left out: the host has them already, and they make a face sharper, but no more
    like the person. A pass can still use them.
    """
    return tuple(info for info in RESTORERS if info.name not in UPSCALERS.names())


def add_restorers() -> None:
    """Add the restorers to the host's list, once, even if its UI is reloaded; for `on_before_ui`."""
    from modules import shared
    from modules.face_restoration import FaceRestoration

    class Offered(Restoration, FaceRestoration):  # type: ignore[misc]  # the host has no types
        """A restorer with the host's base class."""

    existing = {restorer.name() for restorer in shared.face_restorers}
    ours = (Offered(info) for info in list_restorers())
    shared.face_restorers.extend(restorer for restorer in ours if restorer.name() not in existing)
    if shared.opts.data.get("face_restoration_model") == _FORMER_NAME:
        shared.opts.data["face_restoration_model"] = _BUILT_IN_NAME


class Restoration:
    """A restorer that the host calls if "Restore faces" is ticked."""

    def __init__(self, info: ModelInfo[FaceFixer]) -> None:
        self._info = info

    def name(self) -> str:
        """Return the name for the host's settings and the infotext."""
        return _BUILT_IN_NAME if self._info.name == BUILT_IN else f"FaceFix {self._info.label}"

    def restore(self, np_image: Image) -> Image:
        """Return the RGB image (H, W, 3) with restored faces, or the same object after any error; never raises."""
        from modules import errors, shared

        from .config.engine import get_engine, read_runtime  # here, as they import most of the library

        fidelity = read_options().fidelity  # the host shows no report, so nothing is measured for one
        settings = FaceSettings(method="restore", restorer=self._info.name, fidelity=fidelity, guard="off")
        _latest.failure = None
        try:
            from .config.restorer_files import check_installed

            check_installed(settings)
            [result] = get_engine().fix([np_image], settings)
            if shared.opts.face_restoration_unload and read_runtime().device != "cpu":
                get_engine().unload()
        except FaceFixError as error:
            self._fail(error)
            return np_image
        except Exception as error:  # noqa: BLE001 the host would lose the picture
            _latest.failure = error
            errors.report(f"{self.name()} failed; the image is unchanged.", exc_info=True)
            return np_image
        failed = [outcome for outcome in result.outcomes if outcome.error]
        if not result.outcomes:
            self._say("no face found; the image is unchanged.")
        elif len(failed) == len(result.outcomes):
            self._fail(failed[0].error)
        elif failed:
            self._say(f"{len(failed)} of {len(result.outcomes)} faces are unchanged: {failed[0].error}")
        return result.image if result.changed else np_image

    def _fail(self, why: Exception | None) -> None:
        _latest.failure = why
        self._say(f"the faces are unchanged: {why}")

    def _say(self, sentence: str) -> None:
        print(f"{self.name()}: {sentence}")  # noqa: T201 the host's own restorers use the console
