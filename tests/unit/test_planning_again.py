"""Planning the same faces again with other settings, without the picture."""

from dataclasses import replace

import pytest

from lib_facefix.planning.plan import FixPlan
from lib_facefix.planning.planner import make_plan, replan_faces
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.settings.face_settings import FaceSettings

OTHERS = [
    pytest.param({}, {}, id="the defaults"),
    pytest.param({"min_size": 50, "order": "size"}, {}, id="a criterion and an order"),
    pytest.param({"fidelity": 0.9, "prompt": "[largest] old [SEP] young"}, {}, id="prompts"),
    pytest.param({"at_most": 1}, {2: {"method": "leave"}, 3: {"fidelity": 0.1, "mask": "box"}}, id="single faces"),
]


@pytest.fixture
def faces(face_at):
    return face_at(100, 300, size=40), face_at(250, 100, size=200), face_at(420, 310, size=100)


@pytest.mark.parametrize(("given", "overrides"), OTHERS)
@pytest.mark.parametrize("origin", [None, GenerationParams("a crowd", "blurred", 7, 8)], ids=["no origin", "an origin"])
def test_it_is_the_plan_that_the_picture_would_have_given(picture, faces, given, overrides, origin):
    settings = FaceSettings(**given)
    first = make_plan(picture, faces, FaceSettings(method="restore", order="confidence"))
    again = replan_faces(first, settings, overrides, origin)
    assert again.to_json() == make_plan(picture, faces, settings, overrides, origin).to_json()


def test_a_plan_read_from_its_json_serves_as_well(picture, faces):
    first = make_plan(picture, faces, FaceSettings())
    read = FixPlan.from_json(first.to_json())
    assert (
        replan_faces(read, FaceSettings(min_size=90)).to_json()
        == replan_faces(first, FaceSettings(min_size=90)).to_json()
    )


def test_what_was_decided_before_has_no_say(picture, faces):
    first = make_plan(picture, faces, FaceSettings(method="restore"))
    edited = replace(first, jobs=tuple(replace(job, decision="leave", reason="by hand") for job in first.jobs))
    assert replan_faces(edited, FaceSettings(method="restore")).to_json() == first.to_json()
