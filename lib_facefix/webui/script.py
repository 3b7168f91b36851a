"""The WebUI's hooks, in the order of their calls: check, record, fix, report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadModel, BadSetting, FaceFixError, MissingPackage
from . import xyz
from .compare.history import PENDING, Original, find_fixed_faces
from .config.choices import check_choices
from .config.options import add_options as add_options
from .config.options import read_options
from .passes import infotext
from .passes.paths import check_paths
from .passes.samplers import rename_sampler, rename_samplers
from .passes.settings import OFFERED, PassSettings, read_passes

if TYPE_CHECKING:
    from .accordion import Accordion
    from .presets.last_used import LastUsed

TITLE = infotext.KEY
"""Name of the script in the API, and key of its infotext entry."""
RESTORATION, RESTORATION_FAILED = "Face restoration", "Face restoration failed"
"""Keys of infotext entries for the host's option "Restore faces": its own, and why one of our restorers failed."""
PASSES_ATTRIBUTE = "_facefix_read"
"""Attribute of a run that caches its arguments together with their passes."""


def build_controls(is_img2img: bool, elem_id: Callable[[str], str]) -> Accordion:
    """Return the controls."""
    from modules.paths import data_path

    from .accordion import build_accordion as build_accordion
    from .presets.presets import presets_file

    presets, last_used = presets_file(Path(data_path)), _find_last_used(is_img2img)
    return build_accordion(is_img2img, elem_id=elem_id, presets=presets, last_used=last_used)


def _find_last_used(is_img2img: bool) -> LastUsed:
    from modules.paths import data_path

    from .presets.last_used import LastUsed, last_used_file

    return LastUsed(
        last_used_file(Path(data_path)), "img2img" if is_img2img else "txt2img", lambda: read_options().keep_last
    )


def make_infotext_fields(accordion: Accordion) -> list[Any]:
    """Return the controls with the functions that fill them when an infotext is pasted."""
    from .ui.gradio_compat import warn

    return infotext.make_fields([accordion.enabled, accordion.passes], tell=warn, adapt=rename_sampler)


def register() -> None:
    """Add the restorers to the host's settings, and the axes to its X/Y/Z plot."""
    from .restorers import add_restorers

    add_restorers()
    xyz.add_axes()


def make_component_hook() -> Callable[..., None]:
    """Return the hook that adds "Compare faces" under the results, and the like; for `on_after_component`."""
    from .component_hook import ComponentHook

    return ComponentHook()


def mark_saved(params: Any) -> None:
    """Mark an image that FaceFix changed, as the host is about to save it; for `on_before_image_saved`."""
    from .passes.mark import mark_texts

    if params.pnginfo and read_options().mark:
        mark_texts(params.pnginfo)


def mark_saved_file(params: Any) -> None:
    """Mark the file of such an image, if it is a JPEG or WebP; for `on_image_saved`."""
    from modules import errors

    from .passes.mark import mark_files

    if params.pnginfo and read_options().mark:
        try:
            mark_files(params.filename, params.pnginfo)
        except (FaceFixError, OSError) as error:
            errors.report(f"FaceFix: {params.filename} has no mark (XMP), but is otherwise complete: {error}")


def mount_api(_: Any, app: Any) -> None:
    """Add the HTTP API to the host's app, if the host has one of its own; for `on_app_started`."""
    from modules import shared

    from .host.callbacks import make_temporary_folder

    make_temporary_folder()
    if shared.cmd_opts.api or shared.cmd_opts.nowebui:
        from .lazy_api import LazyApi

        def build() -> None:
            from .api import mount_router

            mount_router(app, shared.cmd_opts)

        app.router.routes.insert(0, LazyApi(app, build))


def check_run(p: Any, args: Sequence[Any]) -> None:
    """Check the settings; an error ends the run before anything is generated."""
    from .host.compat import refuse_run
    from .host.images import bypass_img2img

    try:
        passes = _read_passes_once(p, args)
        for number, settings in enumerate(passes, start=1):
            _check(p, number, settings)
        if any(settings.skip_img2img for settings in passes) and getattr(p, "init_images", None):
            bypass_img2img(p)
    except FaceFixError as error:
        refuse_run(p, error)


def record_settings(p: Any, args: Sequence[Any]) -> None:
    """Write the settings for the host's record of the last prompt."""
    from .passes import params

    with suppress(FaceFixError):  # `check_run` has refused the run
        passes = _read_passes_once(p, args)
        params.record_settings(p, infotext.write(passes) if passes else {})


def keep_last_used(p: Any, args: Sequence[Any], is_img2img: bool) -> None:
    """Keep the settings of a run that was started on the page, if the user wants to start with them."""
    if p.is_api or len(args) < 2 or args[0] is not True or isinstance(args[1], Mapping):
        return  # an X/Y/Z plot passes the settings by name
    try:
        _find_last_used(is_img2img).keep(args[1])
    except FaceFixError as error:
        p.comment(f"FaceFix: the settings could not be kept for the next start: {error}")


def fix_batch(p: Any, pp: Any, args: Sequence[Any], batch_number: int) -> None:
    """Fix the faces of all images of a batch together, unless the host still changes the images."""
    from .host.images import is_finished_later, to_image, write_changes

    passes = _read_passes_once(p, args)
    if not passes or is_finished_later(p):
        return
    with _report_errors(p):
        before = [to_image(picture) for picture in pp.images]
        for place, after in enumerate(_fix(p, before, range(len(before)), passes, batch_number)):
            pp.images[place] = write_changes(pp.images[place], before[place], after)


def fix_finished(p: Any, pp: Any, args: Sequence[Any]) -> None:
    """Fix the faces of one finished image, if `fix_batch` was too early."""
    from .host.images import is_finished_later, replace_colours

    passes = _read_passes_once(p, args)
    if not passes or not is_finished_later(p):
        return
    with _report_errors(p):
        before = np.asarray(pp.image.convert("RGB"))
        [after] = _fix(p, [before], [p.batch_index], passes, p.iteration)
        if not np.array_equal(before, after):
            pp.image = replace_colours(pp.image, after)


def report_restoration(p: Any) -> None:
    """Say why the host's option "Restore faces" changed nothing in an image, if one of our restorers failed.

    The infotext then has the reason, and no longer claims that faces were restored.
    """
    from modules import shared

    from .passes.face_texts import describe_error
    from .passes.params import record_entry
    from .restorers import take_failure

    failure = take_failure() if p.restore_faces else None
    if failure:
        p.comment(f"FaceFix: Restore faces changed nothing: {failure}")
    if failure or RESTORATION_FAILED in p.extra_generation_params:
        model = shared.opts.face_restoration_model
        record_entry(p, p.batch_index, RESTORATION, None if failure else model, others=model)
        record_entry(p, p.batch_index, RESTORATION_FAILED, describe_error(failure) if failure else None)


def keep_originals(p: Any, processed: Any) -> None:
    """Keep the originals, now that the infotexts of the results are known."""
    PENDING.finish(p, processed.infotexts[processed.index_of_first_image :])


def _read_passes_once(p: Any, args: Sequence[Any]) -> tuple[PassSettings, ...]:
    """Return the passes of a run, read once for all hooks; raises `BadSetting`."""
    from .host.noise import inherit_noise

    known = getattr(p, PASSES_ATTRIBUTE, None)
    if known is None or known[0] != args:  # a copy of `p` may be given other arguments
        known = args, inherit_noise(p, rename_samplers(read_passes(args)))
        named = ((f"pass {number}: ", one.to_json()) for number, one in enumerate(known[1], start=1))
        check_paths(named, is_api=p.is_api)
        setattr(p, PASSES_ATTRIBUTE, known)
    passes: tuple[PassSettings, ...] = known[1]
    return passes


def _fix(p: Any, images: list[Any], places: Sequence[int], passes: Sequence[PassSettings], batch: int) -> Iterator[Any]:
    """Yield each fixed image; write its infotext, and report the outcome under the result."""
    from modules import errors

    from .host.images import origin_of
    from .passes.params import record_entries
    from .passes.runner import BatchImage, fix_pictures
    from .passes.runs import list_runs
    from .passes.summary import list_failures, summarize

    pictures = [
        BatchImage(place, origin_of(p, place), image, image) for place, image in zip(places, images, strict=True)
    ]
    runs = list_runs(passes, hires=getattr(p, "enable_hr", True))  # only runs of txt2img have the attribute
    failure = None
    try:
        fix_pictures(p, pictures, runs)
    except FaceFixError as error:
        failure, done = error, len(pictures[0].results)
        outcome = f"{runs[done].title} failed, earlier passes are kept" if done else "the images are unchanged"
        p.comment(f"FaceFix: {outcome}: {error}")
        errors.report(f"FaceFix: {outcome}: {error}")
    for picture in pictures:
        outcomes = [result.outcomes for result in picture.results]
        entries = infotext.write(passes, outcomes, picture.origin, runs=runs, failure=failure)
        record_entries(p, picture.index, entries)
        number = batch * p.batch_size + picture.index
        if not p.is_api and (faces := find_fixed_faces(picture.results)):
            PENDING.add(p, number, entries, Original(picture.before, faces))
        several = p.batch_size * p.n_iter > 1
        name = f"image {number + 1}" if several else ""
        for line in summarize(picture.results, name, runs):
            p.comment(line)
        for line in list_failures(picture.results):
            errors.report(f"FaceFix, image {number + 1}: {line}")
        yield picture.image


def _check(p: Any, number: int, settings: PassSettings) -> None:
    """Raise `BadSetting` or `BadModel` for a model, sampler, checkpoint or the like that cannot be used."""
    from ..planning.needs import Needs
    from .config.engine import get_engine
    from .config.restorer_files import check_installed
    from .host.diffuser import HostDiffuser
    from .host.progress import HostProgress
    from .passes.runs import list_runs

    try:
        list_runs([settings])
        get_engine().with_diffuser(HostDiffuser(p, HostProgress())).prepare(Needs.of_settings(settings))
        check_installed(settings)
        check_choices(settings, OFFERED)
    except (BadModel, BadSetting, MissingPackage) as error:
        kind = BadModel if isinstance(error, MissingPackage) else type(error)
        raise kind(f"pass {number}: {error}") from error


@contextmanager
def _report_errors(p: Any) -> Iterator[None]:
    """Report an error under the result as well, because the host only logs errors of hooks."""
    try:
        yield
    except Exception as error:
        p.comment(f"FaceFix failed, the images are unchanged: {error}")
        raise
