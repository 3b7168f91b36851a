"""Differences between WebUIs, and changes to their state that last for one sampling run.

Hosts are recognised by their features, never by their name.
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from modules import devices, processing, prompt_parser, script_callbacks, sd_models, shared

from ...errors import BadCrop, FaceFixError
from .references import references_kept

SAMPLING_CALLBACKS = ("cfg_denoiser", "cfg_denoised", "cfg_after_cfg", "extra_noise")
"""Names of the host's callbacks during sampling."""
NO_PICTURE = "the model returned no image, only NaN; start the WebUI with --no-half-vae or --no-half"
NATIVE_SIZES = {"is_sd1": 512, "is_sd2": 512}
"""Native sizes of models, in pixels, by the host's attribute; all other models: 1024."""


def renoises_kept_part(p: Any) -> bool:
    """Return whether the host adds new noise to the kept part at every step, from one generator for the batch."""
    return hasattr(p.sd_model, "forge_objects")


def add_noise(denoiser: Any, latent: torch.Tensor, noise: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Return latents (N, C, h, w) with noise at the levels `sigma` (N), added by the model's own rule."""
    model = denoiser.inner_model.inner_model.forge_objects.unet.model
    rule = getattr(model, "predictor", None) or getattr(model, "model_sampling", None)
    level = sigma.reshape(-1, *[1] * (latent.ndim - 1))
    if rule is None:
        return latent + level * noise
    made: torch.Tensor = rule.noise_scaling(level, noise, latent, max_denoise=False)
    return made


def native_size() -> int:
    """Return the native size of the loaded model, in pixels."""
    found = (side for feature, side in NATIVE_SIZES.items() if getattr(shared.sd_model, feature, False))
    return next(found, 1024)


def model_name() -> str:
    """Return the name of the loaded checkpoint."""
    info = getattr(shared.sd_model, "sd_checkpoint_info", None)
    return getattr(info, "name_for_extra", "no model yet")


def prompt_lengths(text: str, steps: int) -> tuple[int, ...]:
    """Return the padded length, in tokens, of each text that the prompt uses while sampling."""
    _, flat, _ = prompt_parser.get_multicond_prompt_list([text])
    schedules = prompt_parser.get_learned_conditioning_prompt_schedules(flat, steps)
    return tuple(_padded_length(part) for schedule in schedules for _, part in schedule)


def _padded_length(text: str) -> int:
    if hasattr(shared.sd_model, "get_prompt_lengths_on_ui"):
        return int(shared.sd_model.get_prompt_lengths_on_ui(text)[1])
    from modules.sd_hijack import model_hijack

    parameters = inspect.signature(model_hijack.get_prompt_lengths).parameters
    more = [shared.sd_model.cond_stage_model] if "cond_stage_model" in parameters else []
    return int(model_hijack.get_prompt_lengths(text, *more)[1])


def inherited_settings(p: Any) -> dict[str, Any]:
    """Return the values of the image's own `p` for all parameters of img2img."""
    fields = dataclasses.fields(processing.StableDiffusionProcessingImg2Img)
    return {field.name: getattr(p, field.name) for field in fields if field.init and hasattr(p, field.name)}


def option_overrides(checkpoint: str, vae: str, clip_skip: int) -> dict[str, Any]:
    """Return the host's options for these values; blank and 0: unchanged."""
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
    """Undo all changes to the host's state after a sampling run inside the image's own run."""
    with ExitStack() as stack:
        data = shared.opts.data
        for name in [name for name in overrides if name not in data]:  # the host only restores saved options
            data[name] = shared.opts.get_default(name)
            stack.callback(data.pop, name, None)
        stack.enter_context(attribute_set(shared.cmd_opts, "no_prompt_history", True))
        for name, known in stack.enter_context(_callbacks_kept(SAMPLING_CALLBACKS)).items():
            known.clear()
            _forget_order(name)
        unet: Any = getattr(getattr(p.sd_model, "model", None), "diffusion_model", None)
        if hasattr(unet, "_original_forward"):  # ControlNet has replaced it; faces are re-diffused without ControlNet
            stack.enter_context(attribute_set(unet, "forward", unet._original_forward))
        stack.enter_context(references_kept(p.sd_model))
        stack.callback(_restore_model, p, overrides)
        yield


@contextmanager
def sampling_callbacks(**callbacks: Callable[[Any], None]) -> Iterator[None]:
    """Have the host call these while it samples, by the names in `SAMPLING_CALLBACKS`."""
    with _callbacks_kept(callbacks) as lists:
        for name, callback in callbacks.items():
            lists[name].append(script_callbacks.ScriptCallback(__file__, callback))
            _forget_order(name)
        yield


@contextmanager
def _callbacks_kept(names: Iterable[str]) -> Iterator[dict[str, list[Any]]]:
    """Yield the host's lists of callbacks, and undo all changes to them afterwards."""
    lists = {name: script_callbacks.callback_map.get(f"callbacks_{name}", []) for name in names}
    before = {name: list(known) for name, known in lists.items()}
    try:
        yield lists
    finally:
        for name, known in lists.items():
            known[:] = before[name]
            _forget_order(name)


def _forget_order(name: str) -> None:
    """Make the host sort its callbacks again, because it only notices a change of their number."""
    getattr(script_callbacks, "ordered_callbacks_map", {}).pop(name, None)


@contextmanager
def attribute_set(where: Any, name: str, value: Any) -> Iterator[None]:
    """Set an attribute, and restore its old value afterwards."""
    before = getattr(where, name)
    setattr(where, name, value)
    try:
        yield
    finally:
        setattr(where, name, before)


def _restore_model(p: Any, overrides: dict[str, Any]) -> None:
    """Restore the loaded model for the image's next batches, because the host only sets it once a run."""
    if hasattr(sd_models, "forge_model_reload"):
        if overrides:
            sd_models.forge_model_reload()
    elif overrides:
        from modules import sd_vae

        sd_models.reload_model_weights()
        sd_vae.reload_vae_weights()
    if hasattr(processing, "apply_circular_forge"):  # such hosts set token merging before every sampling
        processing.apply_circular_forge(p.sd_model, p.tiling)
        return
    from modules.sd_hijack import model_hijack

    model_hijack.apply_circular(p.tiling)
    sd_models.apply_token_merging(p.sd_model, p.get_token_merging_ratio())


@contextmanager
def translated_errors() -> Iterator[None]:
    """Translate the errors of a sampling run; raises MemoryError and `BadCrop`."""
    try:
        yield
    except devices.NansException as error:
        raise BadCrop(NO_PICTURE) from error
    except (RuntimeError, AssertionError, ValueError, OSError) as error:
        if isinstance(error, torch.cuda.OutOfMemoryError) or "out of memory" in str(error).lower():
            devices.torch_gc()
            raise MemoryError(f"not enough graphics memory for this face ({type(error).__name__})") from error
        said = f"{type(error).__name__}: {error}".removesuffix(": ")  # a failed check of the host may say nothing
        raise BadCrop(f"the model could not re-diffuse this face: {said}") from error


def refuse_run(p: Any, error: FaceFixError) -> None:
    """End the run with this error before anything is generated, so that the host reports it to the caller."""

    def init(*_: Any, **__: Any) -> None:
        raise Refused(error)

    p.init = init


class Refused(FaceFixError):
    """An error that the host's API answers with status 422 and the message."""

    def __init__(self, error: FaceFixError) -> None:
        super().__init__(str(error))
        self.status_code, self.detail = 422, str(error)
