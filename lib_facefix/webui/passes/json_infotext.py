"""The single entry of FaceFix in infotexts of older versions, in JSON.

    FaceFix: {"v":3,"passes":[{"restorer":"gfpgan"}],"faces":[[{"n":1,"box":[10,12,90,99],"do":"restore"}]]}

"passes" has the values of each pass that differ from the defaults of version "v", 1 to 3. "faces" has a list for each
finished run, with all its faces: n, box (left, top, right, bottom, in pixels), do (the decision), verdict (if it
differs from the decision), and more. A restored face has its restorer if it differs from that of the pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .face_texts import FixedFace
from .runs import Run


def read_units(text: str) -> tuple[Any, list[dict[str, Any]] | None]:
    """Return the version, unchecked, and the values of each pass, or None; raises ValueError for what is not JSON."""
    try:
        entry = json.loads(text)
    except RecursionError as error:
        raise ValueError(str(error)) from error
    version, units = (entry.get("v"), entry.get("passes")) if isinstance(entry, dict) else (None, None)
    if not isinstance(units, list) or not all(isinstance(unit, dict) for unit in units):
        return version, None
    return version, units


def read_fixed_faces(text: str, runs: tuple[Run, ...]) -> Iterator[FixedFace]:
    """Yield the faces that were fixed; raises ValueError, TypeError, KeyError, or AttributeError for invalid data."""
    for run, faces in zip(runs, json.loads(text).get("faces", ()), strict=False):
        for face in faces:
            if face["do"] == "leave" or "verdict" in face:
                continue
            left, top, right, bottom = (int(side) for side in face["box"])
            restorer = str(face.get("restorer", run.settings.restorer)) if face["do"] == "restore" else ""
            yield FixedFace(int(face["n"]), str(face["do"]), restorer, (left, top, right, bottom))
