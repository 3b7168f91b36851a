"""Faces to and from SEGS of Impact Pack and bounding boxes of ComfyUI; the processor time beside Impact Pack's."""

import json
import math
import os
import sys

import cv2
import numpy as np
import pytest
from graphs import Graph

needs_impact = pytest.mark.skipif(
    not os.environ.get("FACEFIX_IMPACT_PACK"), reason="needs Impact Pack: set FACEFIX_IMPACT_PACK to its folder"
)
BOXES = [(130, 338, 95), (223, 169, 80), (296, 53, 66), (413, 90, 73), (513, 160, 86)]
"""Left, top and side of the faces of the group, in pixels."""
TIMES_LESS = 2.0
"""By how much less processor time Detail Faces takes than Impact Pack's FaceDetailer."""
SIDE, STEPS = 128, 20


@pytest.fixture
def graph(comfyui):
    return Graph(comfyui)


def places(boxes):
    return np.array([[box["x"], box["y"], box["width"]] for box in boxes])


def test_bounding_boxes_lead_to_the_same_faces(comfyui, graph, group):
    image = graph.load(comfyui, group, group[:, ::-1].copy())
    found = graph.add("FaceFixDetectFaces", image=image)
    boxes = graph.add("FaceFixToBoundingBoxes", faces=found)
    again = graph.add("FaceFixFromBoundingBoxes", image=image, bboxes=boxes)
    shown = graph.add("FaceFixTestShow", value=boxes)
    plans = [graph.add("FaceFixPlan", image=image, faces=faces, method="restore") for faces in (found, again)]
    fixed = [graph.add("SaveImage", images=graph.add("FaceFixRestoreFaces", image=image, plan=plan)) for plan in plans]
    run = comfyui.run(graph.nodes)
    [first, second] = run.outputs[shown]["value"][0]
    assert np.abs(places(first) - BOXES).max() <= 1
    assert len(second) == 5
    assert {box["label"] for box in first} == {"face"}
    one, other = (run.outputs[plan]["text"][0].splitlines() for plan in plans)
    assert [line.split()[3:4] for line in one] == [line.split()[3:4] for line in other]
    results = [comfyui.view(run.outputs[node]["images"][0]) for node in fixed]
    assert np.abs(results[0].astype(int) - results[1]).mean() < 0.2


def test_segs_lead_to_the_same_faces(comfyui, graph, group):
    image = graph.load(comfyui, group)
    plan = graph.add("FaceFixPlan", image=image, overrides="5: method=leave")
    segs = graph.add("FaceFixToSEGS", image=image, plan=plan, crop_factor=2.0)
    faces = graph.add("FaceFixFromSEGS", image=image, segs=segs)
    boxes = graph.add("FaceFixTestShow", value=graph.add("FaceFixToBoundingBoxes", faces=faces))
    [found] = comfyui.run(graph.nodes).outputs[boxes]["value"][0]
    assert np.abs(places(found) - BOXES[:4]).max() <= 1


def test_segs_of_a_batch_are_refused(comfyui, graph, group):
    image = graph.load(comfyui, group, group)
    segs = graph.add("FaceFixToSEGS", image=image, plan=graph.add("FaceFixPlan", image=image))
    graph.add("FaceFixTestShow", value=segs)
    assert "SEGS describe one image" in comfyui.run(graph.nodes).error["exception_message"]


@needs_impact
def test_impact_pack_detects_with_our_detector_and_reads_our_segs(comfyui, graph, group):
    image = graph.load(comfyui, group)
    detector = graph.add("FaceFixImpactDetector")
    segs = graph.add("BboxDetectorSEGS", bbox_detector=detector, image=image, dilation=0, labels="all")
    faces = graph.add("FaceFixFromSEGS", image=image, segs=segs)
    boxes = graph.add("FaceFixTestShow", value=graph.add("FaceFixToBoundingBoxes", faces=faces))
    plan = graph.add("FaceFixPlan", image=image, faces=faces, method="restore")
    ours = graph.add("FaceFixToSEGS", image=image, plan=plan)
    masks = [graph.add("SegsToCombinedMask", segs=one) for one in (segs, ours)]
    combined = graph.add("BboxDetectorCombined_v2", bbox_detector=detector, image=image, dilation=0)
    shown = [graph.add("SaveImage", images=graph.add("MaskToImage", mask=mask)) for mask in (*masks, combined)]
    run = comfyui.run(graph.nodes)
    assert run.error is None, run.error
    [found] = run.outputs[boxes]["value"][0]
    assert np.abs(places(found) - BOXES).max() <= 1
    squares, hulls, together = (comfyui.view(run.outputs[one]["images"][0])[..., 0] for one in shown)
    assert squares[340:431, 132:223].min() == 255
    assert (np.abs(squares.astype(int) - together) > 127).mean() < 0.002  # a row of pixels at an edge
    assert hulls[380, 177] == 255
    assert hulls[339, 131] < 64  # a corner of the box


@needs_impact
def test_eight_faces_take_half_the_processor_time_of_impact_pack(comfyui, pairs):
    apart = [np.pad(pair, ((40, 40), (40, 40), (0, 0)), mode="edge") for pair in pairs]
    tiled = np.vstack([np.hstack(apart[:2]), np.hstack(apart[2:])])
    picture = cv2.resize(tiled, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)

    def build(kind, seed):
        graph = Graph(comfyui)
        model, clip, vae = graph.tiny()
        image = graph.load(comfyui, picture)
        positive, negative = (graph.add("CLIPTextEncode", clip=clip, text=text) for text in ("a face", "blurred"))
        asked = {"model": model, "clip": clip, "vae": vae, "positive": positive, "negative": negative}
        asked |= {"seed": seed, "steps": STEPS, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal"}
        fixed = image
        if kind == "ours":
            size = graph.add("FaceFixSamplingSettings", width=SIDE, height=SIDE)
            choices = {"method": "re-diffuse", "guard": "off", "denoising_strength": 0.5, "settings": size}
            plan = graph.add("FaceFixPlan", image=image, **choices)
            fixed = graph.add("FaceFixDetailFaces", image=image, plan=plan, **asked)
        if kind == "impact":
            crops = {"guide_size": SIDE, "guide_size_for": False, "max_size": SIDE, "bbox_crop_factor": 2.0}
            masks = {"denoise": 0.5, "noise_mask": True, "noise_mask_feather": 0, "wildcard": "", "bbox_dilation": 0}
            detector = graph.add("FaceFixImpactDetector")
            fixed = graph.add("FaceDetailer", image=image, bbox_detector=detector, **crops, **masks, **asked)
        graph.add("SaveImage", images=fixed)
        return graph.nodes

    def measure(kind, seed):
        started = comfyui.get("/facefix_test/seconds")
        before = len(comfyui.get("/facefix_test/runs"))
        run = comfyui.run(build(kind, seed))
        assert run.error is None, run.error
        runs = comfyui.get("/facefix_test/runs")[before:]
        return comfyui.get("/facefix_test/seconds") - started, [one["batch"] for one in runs]

    spent = dict.fromkeys(("plain", "ours", "impact"), math.inf)
    for seed in range(5):  # in turns, because the speed of a shared machine changes
        for kind, runs in (("plain", []), ("ours", [8]), ("impact", [1] * 8)):
            seconds, batches = measure(kind, seed)
            assert batches == runs
            spent[kind] = min(spent[kind], seconds)
    ours, theirs = (spent[kind] - spent["plain"] for kind in ("ours", "impact"))
    sys.stdout.write(json.dumps({**spent, "times": theirs / ours}))  # shown by pytest -rP
    assert theirs / ours >= TIMES_LESS
