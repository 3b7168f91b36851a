"""Workflows in ComfyUI's API format, written as calls; widgets that are not given have their defaults."""

from __future__ import annotations

from typing import Any


class Graph:
    """Nodes by id. `add` returns the id; `[id, 0]` is a node's first output."""

    def __init__(self, comfyui: Any) -> None:
        self._known = comfyui.get("/object_info")
        self.nodes: dict[str, Any] = {}

    def add(self, kind: str, **inputs: Any) -> str:
        """Add a node; return its id."""
        declared = self._known[kind]["input"]
        defaults = {name: _default(spec) for name, spec in declared.get("required", {}).items()}
        given = {
            name: [value, 0] if isinstance(value, str) and value in self.nodes else value
            for name, value in inputs.items()
        }
        name = f"n{len(self.nodes) + 1}"
        values = {name: value for name, value in {**defaults, **given}.items() if value is not None}
        self.nodes[name] = {"class_type": kind, "inputs": values}
        return name

    def load(self, comfyui: Any, *images: Any) -> str:
        """Add nodes that load images as one batch; return the id of the last."""
        last = ""
        for image in images:
            name = comfyui.put_image(f"{abs(hash(image.tobytes()))}.png", image)
            one = self.add("LoadImage", image=name)
            last = self.add("ImageBatch", image1=last, image2=one) if last else one
        return last

    def tiny(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Add the tiny Stable Diffusion; return links to MODEL, CLIP and VAE."""
        made = self.add("FaceFixTestTinyDiffusion")
        return [made, 0], [made, 1], [made, 2]

    def _link(self, value: Any) -> Any:
        return [value, 0] if isinstance(value, str) and value in self.nodes else value


def _default(spec: Any) -> Any:
    kind, facts = spec[0], (spec[1] if len(spec) > 1 else {})
    if "default" in facts:
        return facts["default"]
    if isinstance(kind, list):
        return kind[0] if kind else None
    if kind == "COMBO":
        return facts["options"][0] if facts.get("options") else None
    return None
