"""The example workflows load and run."""

import os

import pytest
from saved_workflows import IMAGE, NAMES, read_workflow, to_api, use_tiny_diffusion

needs_impact = pytest.mark.skipif(
    not os.environ.get("FACEFIX_IMPACT_PACK"), reason="needs Impact Pack: set FACEFIX_IMPACT_PACK to its folder"
)
EACH = [pytest.param(name, marks=needs_impact) if "impact" in name else name for name in NAMES]
TOLD = {
    "facefix_restore": "FaceFix: 5 faces: 5 restored",
    "facefix_detail": "FaceFix: 5 faces: ",
    "facefix_face_prompts": "1 skipped (your choice)",
    "facefix_with_impact_pack": "FaceFix: 5 faces: 5 restored",
    "facefix_batch": "FaceFix, image 2: 5 faces: ",
}
"""Part of the report of the node that fixes the faces."""


@pytest.mark.parametrize("name", EACH)
def test_an_example_workflow_runs(comfyui, group, name):
    comfyui.put_image(IMAGE, group)
    saved = read_workflow(name)
    workflow = use_tiny_diffusion(to_api(saved, comfyui.get("/object_info")))
    run = comfyui.run(workflow)
    assert run.error is None, run.error
    [fixing] = [
        one for one, node in workflow.items() if node["class_type"] in ("FaceFixRestoreFaces", "FaceFixDetailFaces")
    ]
    [saving] = [one for one, node in workflow.items() if node["class_type"] == "FaceFixSaveImage"]
    [slider] = [one for one, node in workflow.items() if node["class_type"] == "FaceFixBeforeAfter"]
    report = run.outputs[fixing]["text"][0]
    assert TOLD[name] in report
    images = [comfyui.view(one) for one in run.outputs[saving]["images"]]
    assert [image.shape for image in images] == [group.shape] * (2 if name == "facefix_batch" else 1)
    assert len(run.outputs[slider]["facefix_faces"]) == len(images)


def test_the_workflows_are_offered_as_templates(comfyui):
    assert set(NAMES) <= set(comfyui.get("/workflow_templates")["facefix"])
    assert comfyui.get("/api/workflow_templates/facefix/facefix_restore.json") == read_workflow("facefix_restore")


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_says_nothing_about_the_machine_it_was_made_on(name):
    saved = read_workflow(name)
    assert all(isinstance(node["id"], int) for node in saved["nodes"])
    assert len({node["id"] for node in saved["nodes"]}) == len(saved["nodes"])
    assert "/" not in "".join(map(str, (value for node in saved["nodes"] for value in node.get("widgets_values", []))))
