"""A WebUI as its own API shows it: what it is set to, what it has, what it draws best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadSetting, CannotReach, Refused
from ..settings.sampling import Sampling
from .transport import Transport

ROOT = "/sdapi/v1"
SMALL, LARGE = 512, 1024
"""Sides in pixels of the squares that SD 1 and 2 draw best, and that all later models do."""
PRESETS = {"sd": SMALL, "xl": LARGE, "flux": LARGE}
"""What Forge calls the kind of checkpoint that it is set to."""
EMBEDDINGS = {768: SMALL, 1024: SMALL, 2048: LARGE}
"""By the length of an embedding's vectors: what a model that takes them draws best."""
DEFAULTS: Mapping[str, Any] = {"CLIP_stop_at_last_layers": 1, "sd_vae": "Automatic", "forge_additional_modules": []}
"""Of options that a WebUI may never have saved."""
LISTS = {
    "sampler": ("samplers", ("name",)),
    "scheduler": ("schedulers", ("label", "name")),
    "checkpoint": ("sd-models", ("model_name", "title", "filename", "hash")),
    "vae": ("sd-vae", ("model_name", "filename")),
    "module": ("sd-modules", ("model_name", "filename")),
}
"""By kind: where its API lists what there is, and what a thing is called in there, first as it is shown."""
WORDS = {"scheduler": "schedule type", "vae": "VAE", "module": "VAE"}


@dataclass(slots=True)
class WebUI:
    """A WebUI with --api: what it is set to, and what it has."""

    wire: Transport
    options: Mapping[str, Any] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)
    """Options that it has saved for certain."""

    @classmethod
    def at(cls, wire: Transport) -> WebUI:
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
        """Return the options to be changed for one run, by their names there.

        Raises `BadSetting` for what it lacks, a sampler too: it would take another without a word.
        """
        for kind in ("sampler", "scheduler"):
            self._find_listed(kind, getattr(sampling, kind))
        wanted = {
            "sd_model_checkpoint": self._find_listed("checkpoint", sampling.checkpoint).get("title"),
            **self._vae(sampling.vae),
            "CLIP_stop_at_last_layers": sampling.clip_skip,
        }
        changed = {name: value for name, value in wanted.items() if value and value != self._now(name)}
        if self.options.get("img2img_color_correction"):
            changed["img2img_color_correction"] = False  # the paste matches colours by itself
        return changed

    def _vae(self, name: str) -> dict[str, Any]:
        if name and "forge_additional_modules" in self.options:
            return {"forge_additional_modules": [self._find_listed("module", name)["filename"]]}
        return {"sd_vae": name if name in ("Automatic", "None") else self._find_listed("vae", name).get("model_name")}

    def keep(self, names: Iterable[str]) -> None:
        """Let it save options as they are, so that it puts them back after a run: it does so only with saved ones.

        Whether one has been saved its API does not tell.
        """
        unsure = [name for name in names if name in DEFAULTS and name not in self._kept]
        if unsure:
            self.wire.post(f"{ROOT}/options", {name: self._now(name) for name in unsure})
            self._kept.update(unsure)

    def _now(self, name: str) -> Any:
        return self.options.get(name, DEFAULTS.get(name))

    def _find_listed(self, kind: str, name: str) -> Mapping[str, Any]:
        """Return what it says of a thing of this name, nothing for a blank one; raises `BadSetting` where it has none.

        A sampler's name may end with that of a schedule, as it did in older WebUIs.
        """
        if not name:
            return {}
        path, keys = LISTS[kind]
        try:
            listed = self.wire.get(f"{ROOT}/{path}")
        except Refused:  # of a kind that has no such list
            return {}
        for one in listed:
            names = [str(one[key]) for key in keys if one.get(key)]
            if name in names or (kind == "sampler" and name.startswith(f"{names[0]} ")):
                return dict(one)
        offered = ", ".join(str(one.get(keys[0])) for one in listed)
        raise BadSetting(
            f"{self.wire.url} has no {WORDS.get(kind, kind)} {name!r}; on offer there: {offered or 'none'}"
        )
