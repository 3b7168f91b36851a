"""Reads the options and models of a WebUI through its API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadSetting, CannotReach, Refused
from ..settings.sampling import Sampling
from .transport import Transport

ROOT = "/sdapi/v1"
SD1_SIDE, SDXL_SIDE = 512, 1024
"""Native image side in pixels of Stable Diffusion 1 and 2, and of all later models."""
LATER_PRESETS = ("xl", "flux", "klein", "qwen", "lumina", "zit", "anima", "ernie", "krea")
PRESET_SIDES = {"sd": SD1_SIDE, **dict.fromkeys(LATER_PRESETS, SDXL_SIDE)}
"""Native image side in pixels by the value of the option `forge_preset` of Forge and Forge Neo."""
EMBEDDING_SIDES = {768: SD1_SIDE, 1024: SD1_SIDE, 2048: SDXL_SIDE}
"""Native image side in pixels by the vector length of the embeddings that a model accepts."""
UNSAVED_DEFAULTS: Mapping[str, Any] = {
    "CLIP_stop_at_last_layers": 1,
    "sd_vae": "Automatic",
    "forge_additional_modules": [],
}
"""Default values of the options that a WebUI may never have saved."""
MODEL_LISTS = {
    "sampler": ("samplers", ("name",)),
    "scheduler": ("schedulers", ("label", "name")),
    "checkpoint": ("sd-models", ("model_name", "title", "filename", "hash")),
    "vae": ("sd-vae", ("model_name", "filename")),
    "module": ("sd-modules", ("model_name", "filename")),
}
"""API path of the list of each kind, and the keys that hold a name in its entries, the displayed name first."""
KIND_LABELS = {"scheduler": "schedule type", "vae": "VAE", "module": "VAE"}


@dataclass(slots=True)
class WebUI:
    """A WebUI that runs with --api."""

    transport: Transport
    options: Mapping[str, Any] = field(default_factory=dict)
    _saved: set[str] = field(default_factory=set)
    """Names of the options that this WebUI is known to have saved."""

    @classmethod
    def connect(cls, wire: Transport) -> WebUI:
        """Return the WebUI of this server. Raises `CannotReach` or `Refused`."""
        options = wire.get(f"{ROOT}/options")
        if not isinstance(options, Mapping):
            raise CannotReach(f"{wire.url} is not a WebUI; check the address")
        return cls(wire, options)

    @property
    def checkpoint(self) -> str:
        """Name of the loaded checkpoint."""
        return str(self.options.get("sd_model_checkpoint") or "its checkpoint")

    def find_native_side(self) -> int | None:
        """Return the native image side of the checkpoint in pixels, or None if the API does not reveal it."""
        if preset := PRESET_SIDES.get(str(self.options.get("forge_preset"))):
            return preset
        try:
            loaded = self.transport.get(f"{ROOT}/embeddings")["loaded"].values()
            shapes = {EMBEDDING_SIDES.get(one["shape"]) for one in loaded}
        except (Refused, KeyError, TypeError, AttributeError):
            return None
        return shapes.pop() if len(shapes) == 1 else None

    def make_overrides(self, sampling: Sampling) -> dict[str, Any]:
        """Return the options to change for one run, by their names in the WebUI.

        Raises `BadSetting` for a sampler or model that the WebUI lacks. It would silently use another one.
        """
        for kind in ("sampler", "scheduler"):
            self._find_listed(kind, getattr(sampling, kind))
        wanted = {
            "sd_model_checkpoint": self._find_listed("checkpoint", sampling.checkpoint).get("title"),
            **self._make_vae_option(sampling.vae),
            "CLIP_stop_at_last_layers": sampling.clip_skip,
        }
        changed = {name: value for name, value in wanted.items() if value and value != self._get_option(name)}
        if self.options.get("img2img_color_correction"):
            changed["img2img_color_correction"] = False  # FaceFix matches colours when it pastes
        return changed

    def _make_vae_option(self, name: str) -> dict[str, Any]:
        if name and "forge_additional_modules" in self.options:
            return {"forge_additional_modules": [self._find_listed("module", name)["filename"]]}
        return {"sd_vae": name if name in ("Automatic", "None") else self._find_listed("vae", name).get("model_name")}

    def save_options(self, names: Iterable[str]) -> None:
        """Let the WebUI save options with their current values, because it restores only saved ones after a run."""
        unsure = [name for name in names if name in UNSAVED_DEFAULTS and name not in self._saved]
        if unsure:
            self.transport.post(f"{ROOT}/options", {name: self._get_option(name) for name in unsure})
            self._saved.update(unsure)

    def _get_option(self, name: str) -> Any:
        return self.options.get(name, UNSAVED_DEFAULTS.get(name))

    def _find_listed(self, kind: str, name: str) -> Mapping[str, Any]:
        """Return the WebUI's entry of this name, or an empty one for a blank name. Raises `BadSetting` if it has none.

        A sampler's name may end with the name of a scheduler, as in older WebUIs.
        """
        if not name:
            return {}
        path, keys = MODEL_LISTS[kind]
        try:
            listed = self.transport.get(f"{ROOT}/{path}")
        except Refused:  # this kind of WebUI has no such list
            return {}
        for entry in listed:
            names = [str(entry[key]) for key in keys if entry.get(key)]
            if name in names or (kind == "sampler" and name.startswith(f"{names[0]} ")):
                return dict(entry)
        offered = ", ".join(str(entry.get(keys[0])) for entry in listed)
        raise BadSetting(
            f"{self.transport.url} has no {KIND_LABELS.get(kind, kind)} {name!r}; available: {offered or 'none'}"
        )
