"""`facefix compare` on photos whose people are known, and on faces that cannot be measured."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix import Box, Face, Pose
from lib_facefix.analysis.embedding import Embedder
from lib_facefix.analysis.likeness import Likeness, measure_face
from lib_facefix.cli.__main__ import main
from lib_facefix.imaging.align import FFHQ_512
from lib_facefix.planning.plan import FaceJob
from lib_facefix.settings.treatment import Treatment

DATA = Path(__file__).parents[1] / "data"
EXAMPLES = DATA.parents[1] / "examples"
GROUP, SAME_GROUP = EXAMPLES / "group.jpg", DATA / "faceapi_sample5.jpg"
"""A damaged and a good copy of one photo of five people."""


def compare(capsys, *arguments):
    code = main(["compare", "--json", *map(str, arguments)])
    return code, json.loads(capsys.readouterr().out)


def test_each_person_of_a_group_is_alike_only_in_both_copies(capsys):
    code, found = compare(capsys, GROUP, SAME_GROUP)
    assert (code, found["version"]) == (0, 1)
    table = {(pair["first"], pair["second"]): pair for pair in found["pairs"]}
    assert len(table) == 25
    assert [number for number in range(1, 6) if table[number, number]["verdict"] != "alike"] == []
    others = {key: pair["distance"] for key, pair in table.items() if key[0] != key[1]}
    assert min(others.values()) > 0.45
    assert [max(table[n, n]["distance"] for n in range(1, 6)) < other for other in others.values()] == [True] * 20
    assert found["note"].startswith("Likeness is no evidence of who someone is.")


def test_the_table_names_pairs_meanings_and_limits(capsys):
    assert main(["compare", str(EXAMPLES / "astronaut.jpg"), str(DATA / "astronaut.jpg")]) == 0
    told = capsys.readouterr().out
    assert "first: " in told
    assert "astronaut.jpg: 1 face\n" in told
    row = next(line.split() for line in told.splitlines() if line.startswith("      1"))
    assert (row[:2], row[3:]) == (["1", "1"], ["alike"])
    assert 0 <= float(row[2]) < 0.2
    assert "alike: different people seldom come out this close" in told
    assert "Likeness is no evidence of who someone is." in told


def test_small_and_blurred_faces_are_said_to_be_unmeasured(capsys, tmp_path):
    with Pil.open(EXAMPLES / "astronaut.jpg") as photo:
        image = np.array(photo.convert("RGB"))
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    for name, made in (("small", small), ("blurred", cv2.GaussianBlur(image, (0, 0), 7))):
        Pil.fromarray(made).save(tmp_path / f"{name}.png")
    for name, reason in (("small", "too small ("), ("blurred", "too blurred")):
        code, found = compare(capsys, EXAMPLES / "astronaut.jpg", tmp_path / f"{name}.png")
        [face] = found["pictures"][1]["faces"]
        assert face["unmeasured"].startswith(reason)
        assert found["pictures"][0]["faces"][0]["unmeasured"] is None
        assert (code, found["pairs"]) == (1, [{"first": 1, "second": 1, "distance": None, "verdict": "unmeasured"}])
    assert main(["compare", str(EXAMPLES / "astronaut.jpg"), str(tmp_path / "small.png")]) == 1
    told = capsys.readouterr().out
    assert "  face 1 is not measured: too small (" in told
    assert "      1       1         -  unmeasured\n" in told


def test_photos_without_faces_and_wrong_numbers_of_photos_have_their_exit_codes(capsys, tmp_path):
    Pil.new("RGB", (200, 200), "grey").save(tmp_path / "grey.png")
    code, found = compare(capsys, tmp_path / "grey.png", tmp_path / "grey.png")
    assert (code, found["pairs"]) == (1, [])
    assert main(["compare", str(tmp_path / "grey.png"), str(tmp_path / "grey.png")]) == 1
    assert "grey.png: no faces\nThere is nothing to compare.\n" in capsys.readouterr().out
    assert main(["compare", str(GROUP)]) == 2
    assert capsys.readouterr().err == "facefix: give two images to compare, not 1\n"
    assert main(["compare", str(GROUP), str(tmp_path / "none.png")]) == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pose": Pose(50.0, 0.0, 0.0)}, "turned to the side (50 degrees; at most 45)"),
        ({"pose": Pose(-50.0, 0.0, 0.0)}, "turned to the side (50 degrees; at most 45)"),
        ({"pose": Pose(0.0, 40.0, 0.0)}, "turned up (40 degrees; at most 35)"),
        ({"pose": Pose(0.0, -40.0, 0.0)}, "turned down (40 degrees; at most 35)"),
        ({"face": Face(Box(0, 0, 200, 200), 0.9)}, "the detector found no usable landmarks"),
        ({"face": Face(Box(0, 0, 200, 200), 0.9, np.zeros((5, 2)))}, "the detector found no usable landmarks"),
        ({"face": Face(Box(0, 0, 31, 20), 0.9, FFHQ_512)}, "too small (31 px; at least 32 px are needed)"),
    ],
)
def test_a_face_that_cannot_be_judged_has_a_reason(picture, changes, reason):
    face = Face(Box(0, 0, 200, 200), 0.9, FFHQ_512 * 0.5)
    job = FaceJob(1, face, "leave", "", Treatment(), Pose(0.0, 0.0, 0.0), 0.5)
    assert measure_face(Embedder(), picture, replace(job, **changes)) == reason
    assert not isinstance(measure_face(Embedder(), picture, job), str)


def test_the_verdicts_follow_the_distance():
    verdicts = [Likeness(1, 1, distance).verdict for distance in (0.0, 0.449, 0.45, 0.599, 0.6, None)]
    assert verdicts == ["alike", "alike", "somewhat alike", "somewhat alike", "not alike", "unmeasured"]


def test_all_faces_are_compared_by_number_with_the_chosen_detector(capsys):
    code, found = compare(capsys, GROUP, EXAMPLES / "astronaut.jpg", "--detector", "blazeface")
    assert (code, [face["number"] for face in found["pictures"][0]["faces"]]) == (0, [1, 2, 3, 4, 5])
