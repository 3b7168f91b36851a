"""What WebUIs differ in, and what we bend in them for the length of a sampling run and then put back.

Hosts are told apart by what they have, never by their name.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from modules import devices, processing, prompt_parser, script_callbacks, sd_models, shared

from ...errors import BadCrop, FaceFixError

SAMPLING_CALLBACKS = ("cfg_denoiser", "cfg_denoised", "cfg_after_cfg", "extra_noise")
"""Callbacks that fire while something is sampled."""
NO_PICTURE = "the model gave no picture, only NaN; try a float32 VAE (--no-half-vae), or --no-half"
NATIVE_SIZES = {"is_sd1": 512, "is_sd2": 512}
"""Sides in pixels of the squares that models draw best; all others 1024."""


def renoises_kept_part(p: Any) -> bool:
    """Tell a host that noises the kept part anew at every step, from one generator for the whole batch."""
    return hasattr(p.sd_model, "forge_objects")


def add_noise(denoiser: Any, latent: torch.Tensor, noise: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Return the latents (N, C, h, w) with as much of the noise as there is at `sigma` (N), by the model's own rule."""
    model = denoiser.inner_model.inner_model.forge_objects.unet.model
    rule = getattr(model, "predictor", None) or getattr(model, "model_sampling", None)
    level = sigma.reshape(-1, *[1] * (latent.ndim - 1))
    if rule is None:
        return latent + level * noise
    made: torch.Tensor = rule.noise_scaling(level, noise, latent, max_denoise=False)
    return made


def native_size() -> int:
    """Return the side in pixels of the squares that the loaded model draws best."""
    found = (side for feature, side in NATIVE_SIZES.items() if getattr(shared.sd_model, feature, False))
    return next(found, 1024)


def model_name() -> str:
    """Return the name of the loaded checkpoint."""
    info = getattr(shared.sd_model, "sd_checkpoint_info", None)
    return getattr(info, "name_for_extra", "no model yet")


def prompt_lengths(text: str, steps: int) -> tuple[int, ...]:
    """Return the length in tokens, padded as the model reads it, of each text the prompt is made of while sampling."""
    _, flat, _ = prompt_parser.get_multicond_prompt_list([text])
    schedules = prompt_parser.get_learned_conditioning_prompt_schedules(flat, steps)
    return tuple(_padded_length(part) for schedule in schedules for _, part in schedule)


def _padded_length(text: str) -> int:
    if hasattr(shared.sd_model, "get_prompt_lengths_on_ui"):
        return int(shared.sd_model.get_prompt_lengths_on_ui(text)[1])
    from modules.sd_hijack import model_hijack

    more = [shared.sd_model.cond_stage_model] if _takes(model_hijack.get_prompt_lengths, "cond_stage_model") else []
    return int(model_hijack.get_prompt_lengths(text, *more)[1])


def _takes(function: Callable[..., Any], argument: str) -> bool:
    return argument in inspect.signature(function).parameters


def inherited_settings(p: Any) -> dict[str, Any]:
    """Return all that img2img can be told, as the picture's own `p` has it."""
    fields = dataclasses.fields(processing.StableDiffusionProcessingImg2Img)
    return {field.name: getattr(p, field.name) for field in fields if field.init and hasattr(p, field.name)}


def option_overrides(checkpoint: str, vae: str, clip_skip: int) -> dict[str, Any]:
    """Return the host's options that stand for these; blank and 0: as they are."""
    wanted = {
        "sd_model_checkpoint": checkpoint,
        "forge_additional_modules" if "forge_additional_modules" in shared.opts.data_labels else "sd_vae": vae,
        "CLIP_stop_at_last_layers": clip_skip,
    }
    chosen = {name: value for name, value in wanted.items() if value}
    if "forge_additional_modules" in chosen:
        from modules_forge.main_entry import module_list

        chosen["forge_additional_modules"] = [module_list.get(vae, vae)]
    return chosen


@contextmanager
def restored_host_state(p: Any, overrides: dict[str, Any]) -> Iterator[None]:
    """For one sampling run inside the picture's: whatever it changes in the host is put back."""
    with ExitStack() as stack:
        stack.enter_context(_options_kept(overrides))
        stack.enter_context(_attribute_set(shared.cmd_opts, "no_prompt_history", True))
        stack.enter_context(_no_other_callbacks())
        stack.enter_context(_without_controlnet(p))
        try:
            yield
        finally:
            _restore_model(p, overrides)


@contextmanager
def sampling_callbacks(**callbacks: Callable[[Any], None]) -> Iterator[None]:
    """Let the host call these while it samples, by the names in `SAMPLING`."""
    with _callbacks_kept(callbacks) as lists:
        for name, callback in callbacks.items():
            lists[name].append(script_callbacks.ScriptCallback(__file__, callback))
            _forget_order(name)
        yield


@contextmanager
def _no_other_callbacks() -> Iterator[None]:
    with _callbacks_kept(SAMPLING_CALLBACKS) as lists:
        for name, known in lists.items():
            known.clear()
            _forget_order(name)
        yield


@contextmanager
def _callbacks_kept(names: Iterable[str]) -> Iterator[dict[str, list[Any]]]:
    """Give the host's own lists of callbacks, to be changed; they are as they were afterwards."""
    lists = {name: script_callbacks.callback_map.get(f"callbacks_{name}", []) for name in names}
    before = {name: list(known) for name, known in lists.items()}
    try:
        yield lists
    finally:
        for name, known in lists.items():
            known[:] = before[name]
            _forget_order(name)


def _forget_order(name: str) -> None:
    """The host keeps callbacks sorted, and notices a change by their number alone."""
    getattr(script_callbacks, "ordered_callbacks_map", {}).pop(name, None)


@contextmanager
def _attribute_set(where: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(where, name)
    setattr(where, name, value)
    try:
        yield
    finally:
        setattr(where, name, before)


@contextmanager
def _options_kept(overrides: dict[str, Any]) -> Iterator[None]:
    """The host puts back only options that somebody has saved once; the others are given their defaults meanwhile."""
    data, added = shared.opts.data, []
    for name in overrides:
        if name not in data:
            data[name] = shared.opts.get_default(name)
            added.append(name)
    try:
        yield
    finally:
        for name in added:
            data.pop(name, None)


@contextmanager
def _without_controlnet(p: Any) -> Iterator[None]:
    """ControlNet stands in for the model's forward while the picture is made; faces are drawn without it."""
    unet: Any = getattr(getattr(p.sd_model, "model", None), "diffusion_model", None)
    if not hasattr(unet, "_original_forward"):
        yield
        return
    with _attribute_set(unet, "forward", unet._original_forward):
        yield


def _restore_model(p: Any, overrides: dict[str, Any]) -> None:
    """Make the loaded model again what the picture's further batches need; the host does that once a run alone."""
    if hasattr(sd_models, "forge_model_reload"):
        if overrides:
            sd_models.forge_model_reload()
    elif overrides:
        from modules import sd_vae

        sd_models.reload_model_weights()
        sd_vae.reload_vae_weights()
    if hasattr(processing, "apply_circular_forge"):  # token merging is set before every sampling there
        processing.apply_circular_forge(p.sd_model, p.tiling)
        return
    from modules.sd_hijack import model_hijack

    model_hijack.apply_circular(p.tiling)
    sd_models.apply_token_merging(p.sd_model, p.get_token_merging_ratio())


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what a sampling run fails with into what a fixer understands; raises MemoryError and `BadCrop`."""
    try:
        yield
    except devices.NansException as error:
        raise BadCrop(NO_PICTURE) from error
    except (RuntimeError, AssertionError, ValueError, OSError) as error:
        if _out_of_memory(error):
            devices.torch_gc()
            raise MemoryError(f"the graphics memory does not take this face ({type(error).__name__})") from error
        raise BadCrop(f"the model could not draw this face: {type(error).__name__}: {error}") from error


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, torch.cuda.OutOfMemoryError) or "out of memory" in str(error).lower()


def refuse_run(p: Any, error: FaceFixError) -> None:
    """Make the run end with this error before anything is drawn, in the host's own way: the caller sees it."""

    def init(*_: Any, **__: Any) -> None:
        raise Refused(error)

    p.init = init


class Refused(FaceFixError):
    """What the host's API answers as 422, with the sentence."""

    def __init__(self, error: FaceFixError) -> None:
        super().__init__(str(error))
        self.status_code, self.detail = 422, str(error)
