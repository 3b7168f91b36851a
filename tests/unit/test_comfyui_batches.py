"""Faces and plans of a batch of images between ComfyUI's nodes."""

import importlib.util
import inspect
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lib_facefix.comfyui import tables
from lib_facefix.comfyui.batches import (
    Detection,
    check_plans,
    detect_faces,
    plan_batch,
    raise_if_all_failed,
    read_overrides,
)
from lib_facefix.errors import BadPlan, BadSetting, FaceFixError, MissingPart
from lib_facefix.planning.plan import FixResult, Outcome
from lib_facefix.planning.planner import make_plan
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.settings.face_settings import FaceSettings

REPOSITORY = Path(__file__).parents[2]


class Finder:
    """An engine that finds given faces."""

    def __init__(self, *faces):
        self.faces, self.references = faces, []

    def detect(self, image, settings):
        return self.faces

    def plan(self, image, settings, *, reference=None):
        self.references.append(reference)
        near = [replace(face, distance=0.2 * place) for place, face in enumerate(self.faces, start=1)]
        return make_plan(image, near, settings)


@pytest.fixture
def two(face_at):
    """Two faces, the right one first."""
    return Finder(face_at(500, 300, size=100), face_at(200, 300, size=80))


def test_faces_are_numbered_from_left_to_right_in_each_image(two, picture):
    detected = detect_faces(two, [picture, picture], FaceSettings())
    assert [[face.box.centre[0] for face in faces] for faces in detected.faces] == [[200, 500], [200, 500]]
    assert detected.size == (800, 600)
    assert detected.count == 4


def test_a_reference_photo_selects_the_person(two, picture):
    detected = detect_faces(two, [picture], FaceSettings(), reference=picture)
    assert two.references[0] is picture
    batch = plan_batch(two, [picture], FaceSettings(method="restore", person_within=0.3), None, detected)
    assert [(job.number, job.decision) for job in batch.plans[0].jobs] == [(1, "leave"), (2, "restore")]


def test_without_stable_diffusion_auto_restores_and_with_it_re_diffuses(two, picture):
    batch = plan_batch(two, [picture], FaceSettings(), {1: {"method": "leave"}})
    assert [job.decision for job in batch.plans[0].jobs] == ["leave", "restore"]
    sampled = batch.plan_for_sampling(512, GenerationParams("a woman", seed=5, steps=20, sampler="euler"))
    assert [job.decision for job in sampled.plans[0].jobs] == ["leave", "re-diffuse"]
    drawn = sampled.plans[0].jobs[1].treatment
    assert (drawn.prompt, drawn.seed, drawn.steps, drawn.sampler) == ("a woman", 6, 20, "euler")
    assert (drawn.width, drawn.height) == (512, 512)  # one size, so one sampling run


def test_a_size_of_ones_own_is_kept(two, picture):
    sampled = plan_batch(two, [picture], FaceSettings(height=640)).plan_for_sampling(512, GenerationParams())
    assert {(job.treatment.width, job.treatment.height) for job in sampled.plans[0].jobs} == {(0, 640)}


def test_faces_of_other_images_are_refused(two, picture):
    detected = detect_faces(two, [picture], FaceSettings())
    wanted = "the faces were found in 1 image of 800x600 px, but this node has 2 images of 800x600 px"
    with pytest.raises(BadPlan, match=wanted):
        plan_batch(two, [picture, picture], FaceSettings(), None, detected)
    batch = plan_batch(two, [picture], FaceSettings(), None, detected)
    with pytest.raises(BadPlan, match="1 image of 800x600 px, but this node has 1 image of 800x500 px"):
        check_plans(batch, [picture[:500]])


def test_unknown_ages_are_explained(two, picture):
    detected = Detection((800, 600), (two.faces,))
    with pytest.raises(BadSetting, match="Connect Choose Faces to Detect Faces too"):
        plan_batch(two, [picture], FaceSettings(min_age=18), None, detected)


def test_single_faces_are_written_one_in_a_line():
    text = "\n# the man\n2: fidelity=0.9\n2: restorer=mine.pth\n 3 : method=leave\n1: prompt=a, b: c\n"
    assert read_overrides(text, {"restorer": {"mine.pth": "/models/mine.pth"}}) == {
        2: {"fidelity": 0.9, "restorer": "/models/mine.pth"},
        3: {"method": "leave"},
        1: {"prompt": "a, b: c"},
    }
    with pytest.raises(BadSetting, match="must look like"):
        read_overrides("fidelity=0.9", {})


def test_the_table_names_what_detail_faces_does_differently(two, picture):
    batch = plan_batch(two, [picture, picture], FaceSettings(), {1: {"method": "leave"}})
    told = tables.tabulate_plans(batch.plans, batch.plan_for_sampling(0, GenerationParams()).plans).splitlines()
    assert told[0] == "Image 1"
    assert told[2].split() == ["1", "80", "px", "skip", "your", "choice"]
    assert told[3].startswith("   2  100 px  restore*  ")
    assert told[4] == "* Detail Faces re-diffuses this face."
    assert told[6] == "Image 2"


def test_no_face_is_said(picture):
    batch = plan_batch(Finder(), [picture], FaceSettings())
    assert tables.tabulate_plans(batch.plans, batch.plans) == "no face found"
    assert tables.describe_results([FixResult(picture, ())]) == "FaceFix: no face found"


def test_one_failed_face_is_reported_and_all_failed_faces_are_an_error(two, picture):
    jobs = plan_batch(two, [picture], FaceSettings()).plans[0].jobs
    failed = [Outcome(job, "failed", MissingPart("no mesh")) for job in jobs]
    fixed = FixResult(picture, (failed[0], Outcome(jobs[1], "fixed")))
    raise_if_all_failed([fixed])
    assert "face 1 was not fixed: no mesh" in tables.describe_results([fixed])
    with pytest.raises(FaceFixError, match="face 1 was not fixed: no mesh"):
        raise_if_all_failed([FixResult(picture, tuple(failed))])
    raise_if_all_failed([FixResult(picture, tuple(Outcome(job, "left") for job in jobs))])


def test_the_entry_for_comfyui_imports_nothing_until_it_is_asked():
    spec = importlib.util.spec_from_file_location("facefix_clone", REPOSITORY / "__init__.py")
    entry, before = importlib.util.module_from_spec(spec), set(sys.modules)
    spec.loader.exec_module(entry)
    assert set(sys.modules) == before
    assert inspect.iscoroutinefunction(entry.comfy_entrypoint)
    assert (REPOSITORY / entry.WEB_DIRECTORY).is_dir()


def test_the_numbers_of_a_batch_may_not_differ_from_its_plans(two, picture):
    batch = plan_batch(two, [picture], FaceSettings())
    with pytest.raises(BadPlan, match="Connect the same images to both nodes"):
        check_plans(batch, [])


class ClassFinder(Finder):
    """A detector of two classes: "hand" finds the first face, "face" the others."""

    def detect(self, image, settings):
        return {
            "kinds.onnx[hand]": self.faces[:1],
            "kinds.onnx[face]": self.faces[1:],
            "kinds.onnx[face, hand]": self.faces,
        }[settings.detector]


@pytest.fixture
def kinds(face_at):
    """A hand between two faces, the right one first."""
    return ClassFinder(face_at(400, 300, size=60), face_at(500, 300, size=100), face_at(200, 300, size=80))


def test_classes_one_after_another_are_numbered_and_fixed_in_the_order_given(kinds, picture):
    settings = FaceSettings(detector="kinds.onnx[face, hand]", method="restore")
    detected = detect_faces(kinds, [picture], settings, each_class=True)
    assert [face.box.centre[0] for face in detected.faces[0]] == [200, 500, 400]
    assert detected.classes == ((0, 0, 1),)
    batch = plan_batch(kinds, [picture], replace(settings, order="size"), {3: {"method": "leave"}}, detected)
    told = [(job.number, job.face.box.centre[0], job.decision) for job in batch.plans[0].jobs]
    assert told == [(2, 500, "restore"), (1, 200, "restore"), (3, 400, "leave")]  # by size within the class
    sampled = batch.plan_for_sampling(512, GenerationParams("a woman", seed=5))
    assert [job.number for job in sampled.plans[0].jobs] == [2, 1, 3]


def test_a_later_class_comes_last_even_if_its_faces_are_larger(kinds, picture):
    settings = FaceSettings(detector="kinds.onnx[hand, face]", order="size", method="restore")
    batch = plan_batch(kinds, [picture], settings, None, detect_faces(kinds, [picture], settings, each_class=True))
    assert [(job.number, job.face.box.centre[0]) for job in batch.plans[0].jobs] == [(1, 400), (3, 500), (2, 200)]


def test_without_a_choice_of_classes_all_are_found_together(kinds, picture):
    settings = FaceSettings(detector="kinds.onnx[face, hand]")
    assert detect_faces(kinds, [picture], settings).classes == ()
    assert [face.box.centre[0] for face in detect_faces(kinds, [picture], settings).faces[0]] == [200, 400, 500]
