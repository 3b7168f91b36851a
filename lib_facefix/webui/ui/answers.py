"""What the server answers to the forms of the page: their settings and lists, and the classes of a model file.

{"hidden":["inpaint"],"refresh":true} -> {"form":{...}}
{"detector":"kinds.onnx[dog]"} -> {"detector":"kinds.onnx[dog]","classes":["dog","cat"],"chosen":["dog"]}
{"detector":"kinds.onnx","choose":["cat"]} -> {"detector":"kinds.onnx[cat]", ...}
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ...errors import BadModel, BadSetting
from ...models.yolo_files import list_classes
from ...settings.detector_expression import Leaf, choose_classes, parse_detector
from ..config.choices import host_list, refresh_host_lists
from ..config.engine import find_model_paths
from ..passes.paths import check_paths
from .controls import describe_form


def answer(question: str) -> str:
    """Return the answer to a question of the page; both are JSON."""
    asked = json.loads(question or "{}")
    if "detector" in asked:
        return json.dumps(_describe_classes(str(asked["detector"]), asked.get("choose")))
    if asked.get("refresh"):
        refresh_host_lists()
    return json.dumps({"form": describe_form(host_list, asked.get("hidden", ()))})


def find_classes(detector: str) -> tuple[Sequence[str], list[str]]:
    """Return the classes of the model file in the setting, and the chosen ones; none of both for anything else."""
    try:
        wanted = parse_detector(detector)
        if not isinstance(wanted, Leaf) or not wanted.is_file:
            return (), []
        check_paths([("", {"detector": detector})], is_api=False)
        known = list_classes(wanted.name, find_model_paths())
    except (BadSetting, BadModel):  # whatever is wrong, the run says so
        return (), []
    spelled = {name.casefold(): name for name in known}
    chosen = [spelled.get(name.casefold(), name) for name in wanted.classes]
    return (*known, *(name for name in chosen if name not in known)) if known else (), chosen


def _describe_classes(detector: str, choose: Sequence[str] | None) -> dict[str, Any]:
    if choose is not None:
        with suppress(BadSetting):  # the detector was just changed to several
            detector = choose_classes(detector, choose)
    known, chosen = find_classes(detector)
    return {"detector": detector, "classes": list(known), "chosen": chosen}
