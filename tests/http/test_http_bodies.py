"""What a body may hold, and how everything that is wrong with one is told."""

import base64

import pytest

from lib_facefix.errors import BadPlan
from lib_facefix.server.errors import Refusal
from lib_facefix.server.schemas import BatchBody, DetectBody, FixBody, PlanBody, json_schema, read_body
from lib_facefix.settings.face_settings import FaceSettings

PICTURE = base64.b64encode(b"a picture").decode()
PLAN = {"size": [8, 8], "upscale": None, "faces": []}


def wrong(kind, values):
    """Return where a body is wrong."""
    with pytest.raises(Refusal) as refused:
        read_body(kind, values)
    assert refused.value.status == 422
    return {complaint.where: complaint.sentence for complaint in refused.value.complaints}


def test_what_is_left_out_has_its_default():
    body = read_body(PlanBody, {"image": PICTURE})
    assert (body.image, body.settings, body.overrides, body.origin) == (b"a picture", FaceSettings(), None, None)


def test_an_address_of_data_is_a_picture_too():
    assert read_body(DetectBody, {"image": f"data:image/png;base64,{PICTURE}"}).image == b"a picture"


def test_everything_is_read_into_nouns():
    body = read_body(
        FixBody,
        {"image": PICTURE, "settings": {"fidelity": 1}, "overrides": {"2": {"method": "leave"}}, "wait": False},
    )
    assert (body.settings, body.overrides, body.wait) == (FaceSettings(fidelity=1), {2: {"method": "leave"}}, False)
    assert read_body(FixBody, {"image": PICTURE, "plan": PLAN}).plan.size == (8, 8)
    assert read_body(PlanBody, {"image": PICTURE, "origin": {"prompt": "a girl"}}).origin.prompt == "a girl"


def test_all_that_is_wrong_is_told_at_once_and_where():
    told = wrong(
        FixBody,
        {
            "settings": {"fidelity": 3, "colour": 1, "mask": "star"},
            "overrides": {"x": {}, "2": {"visibility": "all"}},
            "wait": "no",
            "picture": 1,
        },
    )
    assert set(told) == {
        ("body", "image"),
        ("body", "picture"),
        ("body", "settings", "fidelity"),
        ("body", "settings", "colour"),
        ("body", "settings", "mask"),
        ("body", "overrides", "x"),
        ("body", "overrides", "2", "visibility"),
        ("body", "wait"),
    }
    assert told["body", "settings", "fidelity"] == "Fidelity must be between 0 and 1, not 3"
    assert "image is missing" in told["body", "image"]


def test_settings_that_contradict_each_other_are_told_at_settings():
    told = wrong(PlanBody, {"image": PICTURE, "settings": {"min_size": 90, "max_size": 80}})
    assert "Maximum face size (80 px) is below" in told["body", "settings"]


@pytest.mark.parametrize("image", ["http://somewhere/a.png", "file:///etc/passwd", "not base64!", 5, ["a"]])
def test_a_picture_is_base64_and_nothing_is_fetched(image):
    assert set(wrong(DetectBody, {"image": image})) == {("body", "image")}


@pytest.mark.parametrize(
    ("values", "where"),
    [
        pytest.param({"overrides": []}, "overrides", id="a list"),
        pytest.param({"overrides": {"2": 5}}, "overrides", id="no settings"),
        pytest.param({"overrides": {"\u0663": {}}}, "overrides", id="a digit of another script"),
        pytest.param({"origin": {"mood": 1}}, "origin", id="an unknown part of an origin"),
        pytest.param({"origin": 5}, "origin", id="no origin"),
        pytest.param({"settings": "all"}, "settings", id="no object"),
    ],
)
def test_what_has_another_form_is_told_where_it_is(values, where):
    [place] = wrong(PlanBody, {"image": PICTURE, **values})
    assert place[:2] == ("body", where)


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_a_body_is_an_object(body):
    assert set(wrong(PlanBody, body)) == {("body",)}


@pytest.mark.parametrize("plan", [{}, [], {"size": [0, 0], "faces": []}, {"size": [8, 8], "faces": [{}]}])
def test_a_plan_that_is_none_is_told_at_the_plan(plan):
    told = wrong(FixBody, {"image": PICTURE, "plan": plan})
    assert set(told) == {("body", "plan")}
    assert BadPlan.__doc__


def test_a_plan_holds_all_settings():
    told = wrong(FixBody, {"image": PICTURE, "plan": PLAN, "settings": {}, "overrides": {}})
    assert set(told) == {("body", "settings"), ("body", "overrides")}


@pytest.mark.parametrize("folder", ["", "  ", "a\0b", 5, None])
def test_a_folder_is_a_path(folder):
    assert ("body", "folder") in wrong(BatchBody, {"folder": folder, "output": "out"})


def test_the_schema_says_what_is_read():
    told = json_schema(FixBody)
    assert told["required"] == ["image"]
    assert set(told["properties"]) == {
        "image",
        "settings",
        "overrides",
        "plan",
        "origin",
        "format",
        "quality",
        "mark",
        "again",
        "wait",
        "salvage",
    }
    assert told["properties"]["settings"]["properties"]["fidelity"]["maximum"] == 1.0
    assert not told["additionalProperties"]
