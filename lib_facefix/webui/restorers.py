"""Our restorers in the host's Settings > Face restoration, so that its "Restore faces" can use them."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import FaceFixError
from ..planning.plan import FixResult
from ..protocols import FaceFixer
from ..registry import RESTORERS, UPSCALERS, ModelInfo
from ..settings.face_settings import FaceSettings
from ..types import Image
from .config.engine import get_engine, read_runtime, unload
from .config.options import read_options


def list_restorers() -> tuple[ModelInfo[FaceFixer], ...]:
    """Return the restorers made for faces.

    The nets that enlarge any picture (Real-ESRGAN) are left out: the host has them as upscalers, and what they draw in
    a face is sharper, but no closer to the person. In a pass they can still be chosen.
    """
    return tuple(info for info in RESTORERS if info.name not in UPSCALERS.names())


def add_restorers() -> None:
    """Add ours to the host's restorers, once, however often its UI is reloaded; for `on_before_ui`."""
    from modules import shared
    from modules.face_restoration import FaceRestoration

    class Offered(Restoration, FaceRestoration):  # type: ignore[misc]  # the host has no types
        """One of ours, as the host wants it."""

    there = {restorer.name() for restorer in shared.face_restorers}
    ours = (Offered(info) for info in list_restorers())
    shared.face_restorers.extend(restorer for restorer in ours if restorer.name() not in there)


class Restoration:
    """What the host calls when "Restore faces" is ticked."""

    def __init__(self, info: ModelInfo[FaceFixer]) -> None:
        self._info = info

    def name(self) -> str:
        """Return what stands in the host's settings and in the infotext."""
        return f"FaceFix {self._info.label.removesuffix(' (built in)')}"

    def restore(self, np_image: Image) -> Image:
        """Return (H, W, 3) RGB with its faces restored, or the very picture given where none could be; never raises."""
        from modules import errors

        settings = FaceSettings(method="restore", restorer=self._info.name, fidelity=read_options().fidelity)
        try:
            [result] = get_engine().fix([np_image], settings)
            _make_room()
        except FaceFixError as error:
            self._say(f"the faces stay as they are: {error}")
            return np_image
        except Exception:  # noqa: BLE001 the host would lose the picture
            errors.report(f"{self.name()} failed; the picture stays as it is.", exc_info=True)
            return np_image
        for sentence in _sentences(result):
            self._say(sentence)
        return result.image if result.changed else np_image

    def _say(self, sentence: str) -> None:
        print(f"{self.name()}: {sentence}")  # noqa: T201 the console is where the host's own restorers speak


def _sentences(result: FixResult) -> Iterator[str]:
    """Yield what the person would not expect."""
    if not result.outcomes:
        yield "no face was found; the picture stays as it is."
    failed = [outcome for outcome in result.outcomes if outcome.error]
    if failed:
        yield f"{len(failed)} of {len(result.outcomes)} faces stay as they are: {failed[0].error}"


def _make_room() -> None:
    """Let go of the nets where the host's setting wants no restorer to stay in graphics memory."""
    from modules import shared

    if shared.opts.face_restoration_unload and read_runtime().device != "cpu":
        unload()
