"""What the pack adds to ComfyUI's start, and what ComfyUI then offers."""

import json
import subprocess
import sys

import pytest
from comfy_server import REPOSITORY, python, root
from loopback_process import clean_environment

NODES = {
    "FaceFixDetectFaces", "FaceFixPlan", "FaceFixRestoreFaces", "FaceFixDetailFaces", "FaceFixFaceMasks",
    "FaceFixCompareFaces", "FaceFixBeforeAfter", "FaceFixSaveImage", "FaceFixChooseFaces", "FaceFixMaskSettings",
    "FaceFixSamplingSettings", "FaceFixUpscaleSettings", "FaceFixToSEGS", "FaceFixFromSEGS",
    "FaceFixToBoundingBoxes", "FaceFixFromBoundingBoxes", "FaceFixImpactDetector",
}  # fmt: skip
"""Ids in people's workflows: never change or remove one."""
SECONDS = 0.2
"""Most that the pack may add to the start."""

LOAD = """
import asyncio, json, sys, time
sys.path.insert(0, {root!r})
sys.modules.update(dict.fromkeys({without!r}))  # as if these packages were not installed
import comfy.options
comfy.options.enable_args_parsing()
import utils.extra_config  # before `nodes` puts another `utils` first
import nodes, server
import comfy_config.config_parser  # which the first pack of any kind imports
server.PromptServer(asyncio.new_event_loop())
seen = []
def watch(event, args):
    if event.startswith("socket.") or event in ("subprocess.Popen", "os.mkdir", "os.rename"):
        seen.append(event)
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        seen.append(f"writes {{args[0]}}")
before, loop = set(sys.modules), asyncio.new_event_loop()
sys.addaudithook(watch)
started = time.process_time()
loaded = loop.run_until_complete(nodes.load_custom_node({pack!r}))
spent = time.process_time() - started
new = sorted({{name.partition(".")[0] for name in set(sys.modules) - before}})
print(json.dumps({{"loaded": loaded, "seconds": spent, "did": seen, "new": new}}))
"""


@pytest.fixture(scope="module")
def load(comfyui, tmp_path_factory):
    """Load the pack in a process of its own; return what was seen, and what it said."""
    folder = tmp_path_factory.mktemp("loading")

    def begin(without=()):
        code = LOAD.format(root=str(root()), pack=str(REPOSITORY), without=list(without))
        command = [python(), "-B", "-c", code, "--cpu", "--base-directory", str(folder)]
        done = subprocess.run(command, cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout.splitlines()[-1]), done.stderr

    return begin


@pytest.fixture(scope="module")
def loading(load):
    """Load the pack three times."""
    return [load()[0] for _ in range(3)]


def test_the_start_costs_little(loading):
    assert all(one["loaded"] for one in loading)
    sys.stdout.write(f"{[one['seconds'] for one in loading]} s")  # shown by pytest -rP
    assert min(one["seconds"] for one in loading) <= SECONDS


def test_the_start_opens_no_socket_writes_nothing_and_imports_no_model(loading):
    assert [one["did"] for one in loading] == [[], [], []]
    assert not {"cv2", "onnxruntime", "spandrel", "insightface", "ultralytics"} & set(loading[0]["new"])


def test_without_opencv_the_pack_loads_and_says_so_in_one_sentence(load):
    seen, said = load(without=("cv2",))
    assert seen["loaded"]
    [line] = [line for line in said.splitlines() if "FaceFix" in line]
    assert "FaceFix needs the Python package 'cv2', which is not installed. Install OpenCV with: " in line
    assert "Traceback" not in said


def test_every_node_is_there_with_help_for_every_input(comfyui):
    known = {name: node for name, node in comfyui.get("/object_info").items() if name in NODES}
    assert set(known) == NODES
    for name, node in known.items():
        assert node["category"].startswith("FaceFix"), name
        assert node["description"].endswith("."), name
        inputs = {**node["input"].get("required", {}), **node["input"].get("optional", {})}
        assert not set(node["output_name"]) & {"STRING", "FLOAT", "INT", "BOOLEAN", "IMAGE", "MASK"}, name
        assert [one for one, (_, facts) in inputs.items() if not facts.get("tooltip")] == [], name


def test_the_slider_is_served_and_nothing_else_beside_it(comfyui):
    assert "export class FacefixCompare" in comfyui.read("/facefix/compare.js")
    assert comfyui.status("/facefix/photo.js") == 404
    assert comfyui.status("/facefix/..%2Fapp.py") == 404
