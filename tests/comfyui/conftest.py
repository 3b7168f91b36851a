"""A real ComfyUI for the tests of this folder: started once, shown in full where a test fails, always ended."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from comfy_server import REPOSITORY, ComfyUI

CROPS = {"faceapi_sample1.jpg": 90, "faceapi_sample2.jpg": 90, "faceapi_sample3.jpg": 160, "faceapi_sample4.jpg": 10}
"""Photos, and the first column of a part with two faces that are not close to one another."""
WIDTH, HEIGHT = 290, 420
"""Size of these parts, in pixels."""
PACKS = {"facefix": REPOSITORY, "facefix_test": Path(__file__).with_name("pack")}


@pytest.fixture(scope="session")
def comfyui(tmp_path_factory):
    """A ComfyUI with FaceFix, and with Impact Pack if FACEFIX_IMPACT_PACK is its folder."""
    if not os.environ.get("FACEFIX_COMFYUI_ROOT"):
        pytest.skip("needs ComfyUI: set FACEFIX_COMFYUI_ROOT to its folder")
    pytest.importorskip("websockets", reason="needs the Python package websockets")
    packs = dict(PACKS)
    if impact := os.environ.get("FACEFIX_IMPACT_PACK"):
        packs["ComfyUI-Impact-Pack"] = Path(impact)
    running = ComfyUI(tmp_path_factory.mktemp("comfyui"), packs)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def log_of_this_test(request):
    """Note where the log stands, so that a failing test can show what was said meanwhile."""
    running = request.getfixturevalue("comfyui") if "comfyui" in request.fixturenames else None
    request.node.said = (running, len(running.log.read_bytes())) if running else None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed and getattr(item, "said", None):
        running, since = item.said
        report.sections.append(("what ComfyUI said", running.said(since)[-8000:]))


@pytest.fixture(scope="session")
def photos():
    """Photos of one face each, RGB, 8 bit, from the tests' data."""
    folder = REPOSITORY / "tests" / "data"
    names = [f"faceapi_sample{number}.jpg" for number in range(1, 7)]
    return {name: cv2.imread(str(folder / name))[..., ::-1] for name in ("astronaut.jpg", *names)}


@pytest.fixture(scope="session")
def group():
    """The photo of a group, RGB, 8 bit."""
    return np.ascontiguousarray(cv2.imread(str(REPOSITORY / "examples" / "group.jpg"))[..., ::-1])


@pytest.fixture(scope="session")
def pairs(photos):
    """Four images of one size with two faces each, which are not close to one another."""
    return [photos[name][:HEIGHT, left : left + WIDTH].copy() for name, left in CROPS.items()]
