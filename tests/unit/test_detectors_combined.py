from dataclasses import replace

import numpy as np
import pytest

from lib_facefix.detectors.combined import Excepting, Voting
from lib_facefix.errors import BadModel

PICTURE = np.zeros((10, 10, 3), np.uint8)


class Sees:
    """Finds these faces in every picture."""

    def __init__(self, *faces):
        self.faces = faces

    def detect(self, image, min_score):
        return self.faces


class Fails:
    def detect(self, image, min_score):
        raise BadModel("the model failed")


def centres(faces):
    return [face.box.centre for face in faces]


def test_what_any_finds_is_found_once_and_best_first(face_at):
    one = Sees(face_at(100, 100, score=0.7), face_at(500, 100, score=0.6))
    other = Sees(face_at(103, 99, score=0.8), face_at(300, 100, score=0.65))
    assert centres(Voting([one, other]).detect(PICTURE, 0.5)) == [(103, 99), (300, 100), (500, 100)]


def test_a_find_is_told_what_another_knows_of_it(face_at):
    outline = np.array([(0, 0), (9, 0), (0, 9)], float)
    sure = replace(face_at(100, 100, score=0.9), landmarks=None, outline=outline)
    marked = face_at(101, 100, score=0.6, degrees=30)
    [face] = Voting([Sees(sure), Sees(marked)]).detect(PICTURE, 0.5)
    assert (face.box, face.score, face.outline is outline) == (sure.box, 0.9, True)
    assert (face.landmarks is marked.landmarks, face.tilt) == (True, 30)


def test_a_vote_counts_detectors_and_not_finds(face_at):
    twice = Sees(face_at(100, 100), face_at(104, 100, score=0.5))
    agreed = Sees(face_at(300, 100))
    found = Voting([twice, agreed, Sees(face_at(301, 101))], 2).detect(PICTURE, 0.5)
    assert centres(found) == [(300, 100)]


def test_what_the_second_finds_too_is_left_out(face_at):
    all_of_them = Sees(face_at(100, 100), face_at(300, 100), face_at(500, 100))
    assert centres(Excepting(all_of_them, Sees(face_at(302, 99))).detect(PICTURE, 0.5)) == [(100, 100), (500, 100)]


@pytest.mark.parametrize("combine", [lambda a, b: Voting([a, b]), lambda a, b: Voting([a, b], 2), Excepting])
def test_one_that_fails_is_an_error_and_not_no_faces(combine, face_at):
    with pytest.raises(BadModel, match="the model failed"):
        combine(Sees(face_at(100, 100)), Fails()).detect(PICTURE, 0.5)
