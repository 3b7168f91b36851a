"""A WebUI as its own API shows it: what it is set to, what it has, what it draws best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadSetting, CannotReach, Refused
from ..sampling import Sampling
from .wire import Wire

ROOT = "/sdapi/v1"
SMALL, LARGE = 512, 1024
"""Sides in pixels of the squares that SD 1 and 2 draw best, and that all later models do."""
PRESETS = {"sd": SMALL, "xl": LARGE, "flux": LARGE}
"""What Forge calls the kind of checkpoint that it is set to."""
EMBEDDINGS = {768: SMALL, 1024: SMALL, 2048: LARGE}
"""By the length of an embedding's vectors: what a model that takes them draws best."""
DEFAULTS: Mapping[str, Any] = {"CLIP_stop_at_last_layers": 1, "sd_vae": "Automatic", "forge_additional_modules": []}
"""Of options that a WebUI may never have saved: it puts back only what it has."""


@dataclass(slots=True)
class WebUI:
    """A WebUI with --api: what it is set to, and what it has."""

    wire: Wire
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def at(cls, wire: Wire) -> WebUI:
        """Return the WebUI at the other end; raises `CannotReach` and `Refused`."""
        options = wire.get(f"{ROOT}/options")
        if not isinstance(options, Mapping):
            raise CannotReach(f"{wire.url} answers, but not as a WebUI does; check the address")
        return cls(wire, options)

    @property
    def checkpoint(self) -> str:
        """The loaded checkpoint's name."""
        return str(self.options.get("sd_model_checkpoint") or "its checkpoint")

    def native(self) -> int | None:
        """Return the side in pixels of the squares that the checkpoint draws best; None where the API does not tell."""
        if preset := PRESETS.get(str(self.options.get("forge_preset"))):
            return preset
        try:
            loaded = self.wire.get(f"{ROOT}/embeddings")["loaded"].values()
            shapes = {EMBEDDINGS.get(one["shape"]) for one in loaded}
        except (Refused, KeyError, TypeError, AttributeError):
            return None
        return shapes.pop() if len(shapes) == 1 else None

    def overrides(self, sampling: Sampling) -> dict[str, Any]:
        """Return the options to be changed for one run, by their names there; raises `BadSetting` for what it lacks."""
        wanted: dict[str, Any] = {}
        if sampling.checkpoint:
            wanted["sd_model_checkpoint"] = self._listed("checkpoint", sampling.checkpoint, "sd-models", "title")
        if sampling.vae and "forge_additional_modules" in self.options:
            wanted["forge_additional_modules"] = [self._listed("VAE", sampling.vae, "sd-modules", "filename")]
        elif sampling.vae in ("Automatic", "None"):
            wanted["sd_vae"] = sampling.vae
        elif sampling.vae:
            wanted["sd_vae"] = self._listed("VAE", sampling.vae, "sd-vae", "model_name")
        if sampling.clip_skip:
            wanted["CLIP_stop_at_last_layers"] = sampling.clip_skip
        if self.options.get("img2img_color_correction"):
            wanted["img2img_color_correction"] = False  # the paste matches colours by itself
        return {name: value for name, value in wanted.items() if value != self.options.get(name, DEFAULTS.get(name))}

    def keep(self, names: Sequence[str]) -> None:
        """Let it save options that it never has, at their defaults, so that it puts them back by itself."""
        unsaved = {name: DEFAULTS[name] for name in names if name not in self.options and name in DEFAULTS}
        if unsaved:
            self.wire.post(f"{ROOT}/options", unsaved)
            self.options = {**self.options, **unsaved}

    def _listed(self, kind: str, name: str, path: str, called: str) -> str:
        """Return what it calls a thing of this name: it would pass over an unknown one without a word."""
        listed = self.wire.get(f"{ROOT}/{path}")
        for one in listed:
            if name in (one.get("title"), one.get("model_name"), one.get("filename"), one.get("hash")):
                return str(one[called])
        names = ", ".join(str(one.get("model_name")) for one in listed)
        raise BadSetting(f"{self.wire.url} has no {kind} {name!r}; on offer there: {names or 'none'}")
