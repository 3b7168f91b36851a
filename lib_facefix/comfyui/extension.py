"""The nodes of the pack, and the route to the slider that its page shows."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from aiohttp import web
from comfy_api.latest import ComfyExtension
from server import PromptServer

from . import nodes_compare, nodes_exchange, nodes_faces, nodes_fix, nodes_save, nodes_settings
from .host import explain_missing_opencv

NODES = (
    nodes_faces.DetectFaces,
    nodes_faces.PlanFaces,
    nodes_fix.RestoreFaces,
    nodes_fix.DetailFaces,
    nodes_faces.FaceMasks,
    nodes_compare.CompareFaces,
    nodes_compare.BeforeAfter,
    nodes_save.SaveImage,
    nodes_settings.ChooseFaces,
    nodes_settings.MaskSettings,
    nodes_settings.SamplingSettings,
    nodes_settings.UpscaleSettings,
    nodes_exchange.ToSegs,
    nodes_exchange.FromSegs,
    nodes_exchange.ToBoundingBoxes,
    nodes_exchange.FromBoundingBoxes,
    nodes_exchange.ImpactDetector,
)
SLIDER_FILES = ("compare.js", "compare_look.js", "compare_frame.js", "compare_gestures.js", "compare_wipe.js")
"""Files of the slider, which the page of `facefix serve` shares."""
SLIDER_FOLDER = Path(__file__).resolve().parent.parent / "server" / "page"
SLIDER_ROUTE = "/facefix/{name}"


class FaceFixExtension(ComfyExtension):  # type: ignore[misc]
    """The pack, as ComfyUI loads it."""

    async def get_node_list(self) -> list[type[Any]]:
        """Serve the files of the slider, and return the nodes."""
        if reason := explain_missing_opencv():
            logging.warning("%s The nodes are there, but cannot run yet.", reason)
        PromptServer.instance.routes.get(SLIDER_ROUTE)(send_slider_file)
        return list(NODES)


async def send_slider_file(request: web.Request) -> web.StreamResponse:
    """Return one file of the slider; 404 for any other name."""
    name = request.match_info["name"]
    if name not in SLIDER_FILES:
        raise web.HTTPNotFound
    text = (SLIDER_FOLDER / name).read_text("utf-8")
    return web.Response(text=text, content_type="text/javascript", headers={"Cache-Control": "no-cache"})
