"""The mark in images that ComfyUI saves: what was done to each, beside the workflow."""

import io
import urllib.parse

import pytest
from graphs import Graph
from PIL import Image

from lib_facefix.pictures.picture import XMP_FIELD, Metadata
from lib_facefix.provenance import read_edits

FIELD = XMP_FIELD.decode()
TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.fixture
def graph(comfyui):
    return Graph(comfyui)


def read_texts(comfyui, shown):
    """Return the text fields of an image that a node has saved."""
    query = urllib.parse.urlencode({name: shown[name] for name in ("filename", "subfolder", "type")})
    with Image.open(io.BytesIO(comfyui.download(f"/view?{query}"))) as image:
        image.load()
        return image.text


def edits_of(texts):
    return [(one.action, one.model, one.face) for one in read_edits(Metadata(xmp=texts.get(FIELD, "").encode()))]


def test_each_image_has_a_mark_of_what_was_done_to_it_and_the_workflow(comfyui, graph, group):
    plain = group[:60, :60].repeat(9, 0).repeat(12, 1)[:524, :720].copy()  # without a face
    image = graph.load(comfyui, group, plain)
    fixed = graph.add(
        "FaceFixRestoreFaces", image=image, plan=graph.add("FaceFixPlan", image=image, overrides="2: method=leave")
    )
    saved = graph.add("FaceFixSaveImage", image=fixed, record=[fixed, 3], filename_prefix="marked/photo")
    own = graph.add("SaveImage", images=fixed)
    run = comfyui.run(graph.nodes, workflow={"nodes": []})
    assert run.error is None, run.error
    first, second = (read_texts(comfyui, one) for one in run.outputs[saved]["images"])
    assert edits_of(first) == [("restore", "lite", number) for number in (1, 3, 4, 5)]
    assert f"{TYPES}algorithmicallyEnhanced" in first[FIELD]
    assert FIELD not in second  # nothing was changed in it
    theirs = read_texts(comfyui, run.outputs[own]["images"][0])
    assert first["prompt"] == theirs["prompt"] == second["prompt"]
    assert first["workflow"] == theirs["workflow"] == '{"nodes": []}'
    pixels = [[comfyui.view(one) for one in run.outputs[node]["images"]] for node in (saved, own)]
    assert all((one == other).all() for one, other in zip(*pixels, strict=True))
    assert [one["subfolder"] for one in run.outputs[saved]["images"]] == ["marked", "marked"]


def test_the_mark_is_there_also_if_only_saving_runs_again(comfyui, graph, group):
    image = graph.load(comfyui, group)
    fixed = graph.add("FaceFixRestoreFaces", image=image)
    saved = graph.add("FaceFixSaveImage", image=fixed, record=[fixed, 3], filename_prefix="one")
    comfyui.run(graph.nodes)
    assert saved not in comfyui.run(graph.nodes).executed  # nothing has changed
    graph.nodes[saved]["inputs"]["filename_prefix"] = "two"
    run = comfyui.run(graph.nodes)
    assert fixed not in run.executed
    texts = read_texts(comfyui, run.outputs[saved]["images"][0])
    assert len(edits_of(texts)) == 5


def test_the_record_passes_from_node_to_node_and_follows_the_size(comfyui, graph, group):
    model, clip, vae = graph.tiny()
    image = graph.load(comfyui, group)
    first = graph.add(
        "FaceFixRestoreFaces", image=image, plan=graph.add("FaceFixPlan", image=image, overrides="1: method=leave")
    )
    size = graph.add("FaceFixSamplingSettings", width=64, height=64)
    choose = graph.add("FaceFixChooseFaces", faces="1", settings=size)
    plan = graph.add("FaceFixPlan", image=first, method="re-diffuse", guard="off", settings=choose)
    asked = {"model": model, "clip": clip, "vae": vae, "steps": 1, "plan": plan}
    second = graph.add("FaceFixDetailFaces", image=first, earlier=[first, 3], **asked)
    larger = graph.add("ImageScaleBy", image=second, scale_by=2.0)
    saved = graph.add("FaceFixSaveImage", image=larger, record=[second, 3])
    run = comfyui.run(graph.nodes)
    assert run.error is None, run.error
    texts = read_texts(comfyui, run.outputs[saved]["images"][0])
    assert edits_of(texts) == [*(("restore", "lite", number) for number in (2, 3, 4, 5)), ("re-diffuse", "", 1)]
    assert f"{TYPES}compositeWithTrainedAlgorithmicMedia" in texts[FIELD]
    last = read_edits(Metadata(xmp=texts[FIELD].encode()))[-1]
    assert abs(last.box[0] - 260) <= 6  # face 1 begins at 130 px
    assert abs(last.box[3] - 2 * 433) <= 12


def test_a_record_of_another_batch_is_refused(comfyui, graph, group):
    image = graph.load(comfyui, group)
    fixed = graph.add("FaceFixRestoreFaces", image=image)
    graph.add("FaceFixSaveImage", image=graph.load(comfyui, group, group), record=[fixed, 3])
    assert "Connect the image and the record of the same node" in comfyui.run(graph.nodes).error["exception_message"]
