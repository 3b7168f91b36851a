"""The line under the result."""

from dataclasses import replace

import numpy as np
import pytest

from lib_facefix.errors import BadCrop
from lib_facefix.planning.identity import IdentityCheck
from lib_facefix.planning.plan import FaceJob, FixResult, Outcome
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Face, Pose
from lib_facefix.webui.passes.runs import list_runs
from lib_facefix.webui.passes.settings import PassSettings
from lib_facefix.webui.passes.summary import capitalize, list_failures, summarize


def result(*faces):
    """Make a result; faces: decision, verdict, reason or error."""
    outcomes = []
    for number, (decision, verdict, why) in enumerate(faces, start=1):
        error = why if isinstance(why, Exception) else None
        face = Face(Box(0, 0, 50, 50), 0.9)
        job = FaceJob(number, face, decision, "" if error else why, Treatment(), Pose(0, 0, 0), 0.5)
        outcomes.append(Outcome(job, verdict, error))
    return FixResult(np.zeros((64, 64, 3), np.uint8), tuple(outcomes))


def test_what_was_done_is_counted_and_what_was_left_has_its_reason():
    redrawn = ("re-diffuse", "fixed", "small")
    made = result(redrawn, redrawn, ("restore", "fixed", "blurred"), ("leave", "left", "already sharp"))
    assert list(summarize([made])) == ["FaceFix: 4 faces: 2 re-diffused, 1 restored, 1 skipped (already sharp)"]


def test_faces_skipped_for_one_reason_are_counted_together():
    small = [("leave", "left", f"smaller than 40 px ({n} px)") for n in range(20, 34)]
    others = [("leave", "left", "already sharp, large, and clean (398 px of detail)"), ("leave", "left", "your choice")]
    [line] = summarize([result(*small, *others, *[("restore", "fixed", "blurred")] * 4)])
    assert line == (
        "FaceFix: 20 faces: 14 skipped (smaller than 40 px), "
        "1 skipped (already sharp, large, and clean (398 px of detail)), 1 skipped (your choice), 4 restored"
    )


def test_faces_with_the_same_figures_keep_them():
    same = [("leave", "left", "not in the selected face numbers (2)")] * 3
    assert list(summarize([result(*same)])) == ["FaceFix: 3 faces: 3 skipped (not in the selected face numbers (2))"]


def test_a_face_that_failed_is_named_with_the_reason():
    made = result(("re-diffuse", "failed", BadCrop("only NaN")))
    assert list(summarize([made])) == ["FaceFix: 1 face: 1 failed", "FaceFix: face 1 was not fixed: only NaN"]


def test_a_face_that_drifted_and_one_that_was_changed_less_are_named_with_their_distances():
    made = result(("re-diffuse", "fixed", "small"), ("restore", "fixed", "blurred"), ("restore", "fixed", "blurred"))
    checks = (
        IdentityCheck("drifted", 0.71, 0.45, 0.71),
        IdentityCheck("backed off", 0.43, 0.45, 0.8, "44% of the change"),
        IdentityCheck("kept", 0.1, 0.45, 0.1),
    )
    guarded = [replace(one, identity=check) for one, check in zip(made.outcomes, checks, strict=True)]
    assert list(summarize([replace(made, outcomes=tuple(guarded))])) == [
        "FaceFix: 3 faces: 1 re-diffused, 2 restored",
        "FaceFix: face 1: identity drifted (distance 0.71, limit 0.45)",
        "FaceFix: face 2: backed off to keep the identity: 44% of the change "
        "(distance 0.43 instead of 0.80, limit 0.45)",
    ]


@pytest.mark.parametrize(
    ("restorer", "told"),
    [
        ("lite", "restored"),
        ("gfpgan", "restored with GFPGAN 1.4"),
        ("/home/me/models/gpen.onnx", "restored with gpen.onnx"),
    ],
)
def test_a_restorer_is_told_by_its_name_without_the_folder_of_its_file(restorer, told):
    [outcome] = result(("restore", "fixed", "blurred")).outcomes
    job = replace(outcome.job, treatment=Treatment(restorer=restorer))
    made = FixResult(np.zeros((64, 64, 3), np.uint8), (replace(outcome, job=job),))
    assert list(summarize([made])) == [f"FaceFix: 1 face: 1 {told}"]


def test_the_console_names_each_error_once_with_its_faces():
    nan = BadCrop("only NaN")
    failed = [("re-diffuse", "failed", nan), ("restore", "failed", BadCrop("damaged")), ("re-diffuse", "failed", nan)]
    assert list(list_failures([result(("restore", "fixed", "blurred"), *failed), result()])) == [
        "face 2, 4 not fixed: only NaN",
        "face 3 not fixed: damaged",
    ]


def test_what_was_stopped_is_not_called_left():
    assert list(summarize([result(("re-diffuse", "left", "small"))])) == ["FaceFix: 1 face: 1 not fixed (stopped)"]


def test_pictures_and_passes_are_named_where_there_are_several():
    runs = list_runs([PassSettings(), PassSettings(), PassSettings()])
    said = list(summarize([result(), result()], "picture 3", runs))
    assert said == ["FaceFix, picture 3, pass 1: no face found", "FaceFix, picture 3, pass 2: no face found"]


def test_classes_that_have_a_pass_each_are_named():
    runs = list_runs([PassSettings(detector="a.onnx[face, hand]", each_class=True)])
    assert list(summarize([result(), result()], runs=runs)) == [
        "FaceFix, face: no face found",
        "FaceFix, hand: no face found",
    ]


def test_a_pass_that_was_skipped_is_not_said_to_have_found_nothing():
    runs = list_runs([PassSettings(), PassSettings(only_hires=True)], hires=False)
    assert list(summarize([result(), result()], runs=runs)) == [
        "FaceFix, pass 1: no face found",
        "FaceFix, pass 2: skipped, because Hires. fix is off",
    ]


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("choose a preset first", "Choose a preset first"),
        ("stopped.", "Stopped."),
        ("", ""),
        ("gone.onnx is not installed.", "gone.onnx is not installed."),
        ("weights/gone cannot be read: denied", "weights/gone cannot be read: denied"),
        ("face_yolo: no such file", "face_yolo: no such file"),
    ],
)
def test_a_sentence_starts_with_a_capital_and_a_file_name_keeps_its_own(sentence, shown):
    assert capitalize(sentence) == shown
