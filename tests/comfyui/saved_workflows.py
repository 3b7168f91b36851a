"""The example workflows, which are saved as ComfyUI's page does, in the format of its API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "example_workflows"
NAMES = ("facefix_restore", "facefix_detail", "facefix_face_prompts", "facefix_with_impact_pack", "facefix_batch")
WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")
IMAGE = "example.png"
"""The image that the workflows load; ComfyUI brings one of that name."""


def read_workflow(name: str) -> dict[str, Any]:
    """Return a workflow as the page loads it."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def to_api(saved: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return a workflow in API format. known: ComfyUI's /object_info."""
    links = {link[0]: [str(link[1]), link[2]] for link in saved["links"]}
    nodes = {}
    for node in saved["nodes"]:
        inputs = {one["name"]: links[one["link"]] for one in node["inputs"] if one.get("link") is not None}
        values = iter(node.get("widgets_values", []))
        declared = known[node["type"]]["input"]
        for name, spec in {**declared.get("required", {}), **declared.get("optional", {})}.items():
            facts = spec[1] if len(spec) > 1 else {}
            if isinstance(spec[0], list) or spec[0] in WIDGETS:
                value = next(values)
                inputs.setdefault(name, value)
                if facts.get("control_after_generate"):
                    next(values)
        nodes[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return nodes


def use_tiny_diffusion_in_page(saved: dict[str, Any]) -> dict[str, Any]:
    """Return the same as `use_tiny_diffusion` for a workflow as the page loads it."""
    changed = []
    for node in saved["nodes"]:
        if node["type"] == "CheckpointLoaderSimple":
            node = {**node, "type": "FaceFixTestTinyDiffusion", "inputs": [], "widgets_values": [], "properties": {}}
        if node["type"] == "FaceFixDetailFaces":
            seed, control, _steps, _cfg, *more = node["widgets_values"]
            node = {**node, "widgets_values": [seed, control, 1, 1.0, *more]}
        changed.append(node)
    return {**saved, "nodes": changed}


def use_tiny_diffusion(workflow: dict[str, Any]) -> dict[str, Any]:
    """Return a workflow whose checkpoint is replaced by the tiny model of the tests, with one step and no guidance."""
    changed = {}
    for name, node in workflow.items():
        if node["class_type"] == "CheckpointLoaderSimple":
            node = {"class_type": "FaceFixTestTinyDiffusion", "inputs": {}}
        if "steps" in node["inputs"]:
            node = {**node, "inputs": {**node["inputs"], "steps": 1, "cfg": 1.0}}
        changed[name] = node
    return changed
