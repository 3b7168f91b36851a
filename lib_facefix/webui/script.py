"""What the WebUI's hooks do, in their order: check, record, fix, tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadSetting, FaceFixError
from ..planning.needs import Needs
from . import xyz
from .compare.history import RUNS, Before, fixed_faces
from .config.choices import host_list, knows
from .config.options import add_options as add_options
from .config.options import read_options
from .passes import infotext
from .passes.arguments import read_passes
from .passes.paths import check_paths
from .passes.settings import OFFERED, PassSettings

if TYPE_CHECKING:
    from .accordion import Accordion

TITLE = infotext.KEY
"""The name in the API, and the key of the infotext."""
READ = "_facefix_read"
"""The attribute of a run under which its arguments are kept with the passes that they stand for."""


def build(is_img2img: bool, elem_id: Callable[[str], str]) -> Accordion:
    """Return the controls."""
    from modules.paths import data_path

    from .accordion import build as build_accordion
    from .presets.presets import presets_file

    return build_accordion(is_img2img, read_options().passes, elem_id=elem_id, presets=presets_file(Path(data_path)))


def infotext_fields(accordion: Accordion) -> list[Any]:
    """Return how the controls are filled when an infotext is pasted."""
    from .ui.gradio_compat import warn

    return infotext.fields(accordion.components, tell=warn)


def register() -> None:
    """Offer the restorers in the host's own settings, and the settings as axes of its X/Y/Z plot."""
    from .restorers import register as offer_restorers

    offer_restorers()
    xyz.register()


def under_results() -> Callable[..., None]:
    """Return what puts "Compare faces" under the results; the host calls it for every component of a page."""
    from .compare.slider import UnderResults

    return UnderResults()


def serve(_: Any, app: Any) -> None:
    """Add the HTTP API to the host's app, if the host has one of its own; for `on_app_started`."""
    from modules import shared

    if shared.cmd_opts.api or shared.cmd_opts.nowebui:
        from .api import mount

        mount(app, shared.cmd_opts)


def begin(p: Any, args: Sequence[Any]) -> None:
    """Check what is asked for; what cannot be done ends the run before anything is drawn."""
    from .host.compat import refuse
    from .host.images import put_through

    try:
        passes = _passes(p, args)
        for number, settings in enumerate(passes, start=1):
            _check(p, number, settings)
        if any(settings.skip_img2img for settings in passes) and getattr(p, "init_images", None):
            put_through(p)
    except FaceFixError as error:
        refuse(p, error)


def record_settings(p: Any, args: Sequence[Any]) -> None:
    """Write the settings where the host reads them for its record of the last prompt."""
    with suppress(FaceFixError):  # `begin` has refused the run
        passes = _passes(p, args)
        others = {name: value for name, value in p.extra_generation_params.items() if name != TITLE}
        # not changed in place: pictures of an X/Y/Z plot share it, and extensions call this for copies of `p`
        p.extra_generation_params = {**others, **({TITLE: infotext.write(passes, None)} if passes else {})}


def fix_batch(p: Any, pp: Any, args: Sequence[Any], batch_number: int) -> None:
    """Fix the faces of all pictures of a batch together, unless the host changes them further."""
    from .host.images import as_image, is_late, with_changes

    passes = _passes(p, args)
    if not passes or is_late(p):
        return
    with _report_errors(p):
        before = [as_image(picture) for picture in pp.images]
        for place, after in enumerate(_fix(p, before, range(len(before)), passes, batch_number)):
            pp.images[place] = with_changes(pp.images[place], before[place], after)


def fix_finished(p: Any, pp: Any, args: Sequence[Any]) -> None:
    """Fix the faces of one picture that the host has finished, where `fix_batch` came too early."""
    from .host.images import is_late, replace_colours

    passes = _passes(p, args)
    if not passes or not is_late(p):
        return
    with _report_errors(p):
        before = np.asarray(pp.image.convert("RGB"))
        [after] = _fix(p, [before], [p.batch_index], passes, p.iteration)
        if not np.array_equal(before, after):
            pp.image = replace_colours(pp.image, after)


def finish(p: Any, processed: Any) -> None:
    """Keep the pictures as they were before, now that the infotexts of the results are known."""
    RUNS.finish(p, processed.infotexts[processed.index_of_first_image :])


def _passes(p: Any, args: Sequence[Any]) -> tuple[PassSettings, ...]:
    """Return the passes of a run, read once for all hooks; raises `BadSetting`."""
    known = getattr(p, READ, None)
    if known is None or known[0] != args:  # a copy of `p` may be given other arguments
        known = args, read_passes(args)
        named = ((f"pass {number}: ", one.to_json()) for number, one in enumerate(known[1], start=1))
        check_paths(named, is_api=p.is_api)
        setattr(p, READ, known)
    passes: tuple[PassSettings, ...] = known[1]
    return passes


def _fix(p: Any, images: list[Any], places: Sequence[int], passes: Sequence[PassSettings], batch: int) -> Iterator[Any]:
    """Yield each picture fixed; record what was done in its infotext, and tell it under the result."""
    from .host.images import origin_of
    from .passes.runner import Worked, fix_pictures
    from .passes.summary import summarize

    pictures = [Worked(place, origin_of(p, place), image, image) for place, image in zip(places, images, strict=True)]
    try:
        fix_pictures(p, pictures, passes)
    except FaceFixError as error:
        _say_undone(p, len(pictures[0].results), error)
    for picture in pictures:
        entry = infotext.write(passes, [result.outcomes for result in picture.results], picture.origin)
        _record(p, picture.index, entry)
        number = batch * p.batch_size + picture.index
        if not p.is_api and (faces := fixed_faces(picture.results)):
            RUNS.add(p, number, entry, Before(picture.before, faces))
        several = p.batch_size * p.n_iter > 1
        name = f"picture {number + 1}" if several else ""
        for line in summarize(picture.results, name):
            p.comment(line)
        yield picture.image


def _say_undone(p: Any, done: int, error: FaceFixError) -> None:
    """Say under the result, and in the console, which pass could not be done. done: how many were before it."""
    from modules import errors

    what = f"pass {done + 1} was not done" if done else "nothing was done, the pictures are as they were"
    p.comment(f"FaceFix: {what}: {error}")
    errors.report(f"FaceFix: {what}: {error}")


def _record(p: Any, place: int, text: str) -> None:
    """Write the infotext of one picture of the batch; the host takes lists by the picture's place."""
    known = p.extra_generation_params.get(TITLE)
    texts = known if isinstance(known, list) else [known] * p.batch_size
    texts = [*texts, *[known] * (place + 1 - len(texts))]
    texts[place] = text
    p.extra_generation_params[TITLE] = texts


def _check(p: Any, number: int, settings: PassSettings) -> None:
    """Raise `BadSetting` for a model file, sampler, checkpoint or the like that is not there."""
    from .config.engine import get_engine
    from .host.diffuser import HostDiffuser
    from .host.progress import HostProgress

    try:
        get_engine().with_diffuser(HostDiffuser(p, HostProgress())).prepare(Needs.of_settings(settings))
    except BadSetting as error:
        raise BadSetting(f"pass {number}: {error}") from error
    for field, known in OFFERED:
        value = getattr(settings, field.name)
        if known.host and value and not knows(known.host, value):
            offered = ", ".join(host_list(known.host)) or "nothing"
            raise BadSetting(f"pass {number}: {known.label} {value!r} is not here; on offer: {offered}")


@contextmanager
def _report_errors(p: Any) -> Iterator[None]:
    """The host swallows what a hook fails with: say it under the result, too."""
    try:
        yield
    except Exception as error:
        p.comment(f"FaceFix failed, the pictures are as they were: {error}")
        raise
