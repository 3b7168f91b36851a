"""What a person has set for the faces of one picture, as the page keeps it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lib_facefix import FaceFix
from lib_facefix.errors import BadSetting
from lib_facefix.planning.planner import make_plan
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.types import Box, Face
from lib_facefix.webui.extras.face_overrides import FACE_SETTINGS, FIX, FaceOverrides, fingerprint

SETTINGS = FaceSettings()
ENGINE = FaceFix().with_diffuser(None)  # it plans; nothing is drawn
FACES = [Face(Box(left, 40.0, left + 60.0, 100.0), 0.9) for left in (20.0, 120.0, 220.0)]


@pytest.fixture
def image():
    return np.random.default_rng(1).integers(0, 255, (200, 320, 3), np.uint8)


@pytest.fixture
def tuning(image):
    """Three faces, all to be restored."""
    return FaceOverrides.start(ENGINE, image, SETTINGS, make_plan(image, FACES, SETTINGS))


def changed(tuning, number, settings=SETTINGS, **changes):
    """Return the tuning after a person has chosen a face and changed some of its controls."""
    shown = tuning.show_face(number, settings)
    return shown.edit({**shown.control_values(settings), **changes}, settings)


@pytest.mark.parametrize("given", [{"gender": "male"}, {"max_age": 30}, {"person": "ann.jpg"}], ids=str)
def test_faces_that_were_not_looked_at_for_a_criterion_are_found_again(tuning, given):
    assert tuning.explain_mismatch(tuning.picture, SETTINGS) == ""
    assert "detection settings have changed" in tuning.explain_mismatch(tuning.picture, FaceSettings(**given))


def test_a_criterion_that_is_taken_away_changes_nothing_of_what_was_found(image):
    asked = FaceSettings(gender="female", person="ann.jpg")
    tuning = FaceOverrides.start(ENGINE, image, asked, make_plan(image, FACES, SETTINGS))
    for now in (asked, SETTINGS, FaceSettings(gender="male"), FaceSettings(person="ann.jpg")):
        assert tuning.explain_mismatch(tuning.picture, now) == ""
    assert tuning.explain_mismatch(tuning.picture, FaceSettings(person="ben.jpg"))


def decisions(tuning, settings=SETTINGS):
    return {job.number: job.decision for job in tuning.plan_for(settings).jobs}


def test_it_survives_the_way_to_the_page_and_back(tuning):
    there = changed(
        replace(tuning, origin=GenerationParams("a crowd", seed=3)), 2, fidelity=0.9, prompt='"old", [SKIP]'
    )
    back = FaceOverrides.from_text(there.to_text(), ENGINE)
    assert back.to_text() == there.to_text()
    assert back.origin == GenerationParams("a crowd", seed=3)
    assert back.overrides == {2: {"fidelity": 0.9, "prompt": '"old", [SKIP]'}}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="a list"),
        pytest.param('{"v":1}', id="half of it"),
        pytest.param("[" * 100_000, id="nested deep"),
        pytest.param('{"v":1,"picture":"","origin":{"x":1},"found":{},"overrides":{},"shown":0}', id="odd origin"),
        pytest.param('{"v":1,"picture":"","origin":null,"found":{},"overrides":{"a":{}},"shown":0}', id="odd number"),
    ],
)
def test_a_damaged_text_is_refused_with_what_to_do(text):
    with pytest.raises(BadSetting, match="select Find faces again"):
        FaceOverrides.from_text(text, ENGINE)


def test_a_text_of_another_version_is_refused(tuning):
    text = json.dumps({**json.loads(tuning.to_text()), "v": 2})
    with pytest.raises(BadSetting, match="version 2, not 1; select Find faces again"):
        FaceOverrides.from_text(text, ENGINE)


def test_it_is_for_its_own_picture_only(tuning, image):
    other = image.copy()
    other[0, 0, 0] ^= 1
    assert tuning.explain_mismatch(fingerprint(image), SETTINGS) == ""
    assert "different image" in tuning.explain_mismatch(fingerprint(other), SETTINGS)
    assert "different image" in tuning.explain_mismatch(fingerprint(image.reshape(320, 200, 3)), SETTINGS)


@pytest.mark.parametrize("given", [{"min_score": 0.2}, {"angles": "all"}], ids=str)
def test_other_settings_for_finding_faces_mean_other_numbers(tuning, image, given):
    assert "detection settings have changed" in tuning.explain_mismatch(fingerprint(image), FaceSettings(**given))


def test_a_face_unticked_is_left_and_the_others_are_not_touched(tuning):
    left = changed(tuning, 2, **{FIX: False})
    assert left.overrides == {2: {"method": "leave"}}
    assert decisions(left) == {1: "restore", 2: "leave", 3: "restore"}
    assert left.control_values(SETTINGS)[FIX] is False


def test_a_face_ticked_again_is_fixed(tuning):
    left = changed(tuning, 2, **{FIX: False})
    assert decisions(changed(left, 2, **{FIX: True}))[2] == "restore"


def test_a_face_that_auto_leaves_is_fixed_when_ticked(tuning):
    calm = FaceSettings(sharp_above=0.0, large_above=0)
    assert decisions(tuning, calm)[2] == "leave"
    ticked = changed(tuning, 2, calm, **{FIX: True})
    assert decisions(ticked, calm) == {1: "leave", 2: "restore", 3: "leave"}


def test_a_face_that_a_criterion_rules_out_is_fixed_when_ticked(tuning):
    only = FaceSettings(faces="1")
    assert decisions(changed(tuning, 3, only, **{FIX: True}), only) == {1: "restore", 2: "leave", 3: "restore"}


def test_a_method_chosen_for_a_face_is_its_own(tuning):
    drawn = changed(tuning, 1, method="re-diffuse", denoising_strength=0.7)
    assert decisions(drawn) == {1: "re-diffuse", 2: "restore", 3: "restore"}
    assert drawn.overrides == {1: {"method": "re-diffuse", "denoising_strength": 0.7}}


def test_only_what_was_changed_is_kept(tuning):
    assert changed(tuning, 3, fidelity=0.9).overrides == {3: {"fidelity": 0.9}}
    assert changed(tuning, 3).overrides == {}


def test_what_all_faces_have_in_common_still_reaches_a_face_with_other_changes(tuning):
    tuned = changed(tuning, 3, fidelity=0.9)
    treatment = tuned.show_face(3, FaceSettings(visibility=0.5)).shown_job(FaceSettings(visibility=0.5)).treatment
    assert (treatment.fidelity, treatment.visibility) == (0.9, 0.5)


def test_controls_filled_before_the_common_settings_changed_override_nothing(tuning):
    shown = tuning.show_face(3, SETTINGS)
    later = FaceSettings(visibility=0.5)
    assert shown.edit(shown.control_values(SETTINGS), later).overrides == {}


def test_without_a_face_on_the_page_nothing_is_edited(tuning):
    assert tuning.edit(dict.fromkeys((FIX, *FACE_SETTINGS)), SETTINGS) is tuning


def test_a_value_out_of_range_names_the_face(tuning):
    with pytest.raises(BadSetting, match="face 3: Fidelity must be between 0 and 1, not 7"):
        changed(tuning, 3, fidelity=7.0)


def test_apply_to_all_gives_every_face_what_the_shown_one_has(tuning):
    tuned = changed(changed(tuning, 1, visibility=0.2), 3, fidelity=0.9).apply_to_all(SETTINGS)
    assert tuned.overrides == {number: {"fidelity": 0.9} for number in (1, 2, 3)}
    assert tuning.show_face(2, SETTINGS).apply_to_all(SETTINGS).overrides == {}


def test_auto_re_diffuses_only_where_it_is_known_what_the_picture_was_made_from(image):
    plan = make_plan(image, FACES, SETTINGS, origin=GenerationParams())
    assert decisions(FaceOverrides.start(ENGINE, image, SETTINGS, plan))[1] == "restore"
    assert decisions(FaceOverrides.start(ENGINE, image, SETTINGS, plan, GenerationParams("a crowd")))[1] == "re-diffuse"
