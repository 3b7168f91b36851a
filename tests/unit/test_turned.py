from dataclasses import replace

import numpy as np
import pytest

from lib_facefix.detectors.turned import TurnedDetector
from lib_facefix.types import Box, Face


class SeesUpright:
    """Finds a face only where its marks stand upright: red over green, in a box of 20 x 30 around them."""

    def __init__(self, tilt=0.0, score=0.9):
        self.looks, self.tilt, self.score = 0, tilt, score

    def detect(self, image, min_score):
        self.looks += 1
        reds, greens = (np.argwhere((image == colour).all(2)) for colour in ((255, 0, 0), (0, 255, 0)))
        if not len(reds) or not len(greens):
            return ()
        (y, x), (y2, x2) = reds[0], greens[0]
        if x != x2 or y2 <= y:
            return ()
        landmarks = np.array([(x + 0.5, y + 0.5), (x2 + 0.5, y2 + 0.5), (x, y), (x, y2), (x2, y2)], float)
        return (Face(Box(x - 9.5, y - 9.5, x + 10.5, y + 20.5), self.score, landmarks, self.tilt),)


class Outlines(SeesUpright):
    """Gives what it finds an outline: its own landmarks."""

    def detect(self, image, min_score):
        return tuple(replace(face, outline=face.landmarks) for face in super().detect(image, min_score))


class SeesAll:
    """Finds the whole picture, whichever way it is turned."""

    def __init__(self, scores, tilt=0.0):
        self.scores, self.tilt = list(scores), tilt

    def detect(self, image, min_score):
        height, width = image.shape[:2]
        return (Face(Box(0, 0, width, height), self.scores.pop(0), None, self.tilt),)


@pytest.fixture
def marked():
    """A picture, 100 x 80, with a red pixel above a green one."""
    image = np.zeros((80, 100, 3), np.uint8)
    image[30, 60], image[40, 60] = (255, 0, 0), (0, 255, 0)
    return image


@pytest.mark.parametrize("quarters", [0, 1, 2, 3], ids=["upright", "turned left", "upside down", "turned right"])
def test_what_is_found_turned_comes_back_where_it_lies(marked, quarters):
    image = np.ascontiguousarray(np.rot90(marked, -quarters))  # clockwise
    detector = SeesUpright()

    [face] = TurnedDetector(detector, "auto").detect(image, 0.5)

    red, green = (np.argwhere((image == colour).all(2))[0] for colour in ((255, 0, 0), (0, 255, 0)))
    assert face.landmarks[0] == pytest.approx((red[1] + 0.5, red[0] + 0.5))
    assert face.landmarks[1] == pytest.approx((green[1] + 0.5, green[0] + 0.5))
    assert (face.tilt - 90 * quarters) % 360 == 0
    assert -180 <= face.tilt <= 180
    assert sorted((face.box.width, face.box.height)) == [20, 30]
    assert (face.box.width == 30) == (quarters % 2 == 1)
    away = np.array(face.box.centre) - (red[::-1] + 0.5)
    assert away == pytest.approx((green - red)[::-1] / 2)
    assert detector.looks == (1 if quarters == 0 else 4)


def test_off_looks_once_even_if_nothing_is_found(marked):
    detector = SeesUpright()
    assert TurnedDetector(detector, "off").detect(np.ascontiguousarray(np.rot90(marked)), 0.5) == ()
    assert detector.looks == 1


@pytest.mark.parametrize("tilt", [0, 19, -19])
def test_auto_does_not_search_again_when_a_face_stands_upright(marked, tilt):
    detector = SeesUpright(tilt)
    TurnedDetector(detector, "auto").detect(marked, 0.5)
    assert detector.looks == 1


@pytest.mark.parametrize("tilt", [70, -90, 180])
def test_auto_searches_on_when_the_only_face_lies(marked, tilt):
    detector = SeesUpright(tilt)
    TurnedDetector(detector, "auto").detect(marked, 0.5)
    assert detector.looks == 4


def test_all_keeps_the_best_view_of_each_face():
    image = np.zeros((80, 100, 3), np.uint8)
    [face] = TurnedDetector(SeesAll([0.6, 0.7, 0.95, 0.8]), "all").detect(image, 0.5)
    assert (face.score, face.box, abs(face.tilt)) == (0.95, Box(0, 0, 100, 80), 180)


def test_all_searches_on_beside_an_upright_face(marked):
    detector = SeesUpright()
    TurnedDetector(detector, "all").detect(marked, 0.5)
    assert detector.looks == 4


def test_an_outline_is_turned_back_with_its_face(marked):
    [face] = TurnedDetector(Outlines(), "auto").detect(np.ascontiguousarray(np.rot90(marked)), 0.5)
    assert np.array_equal(face.outline, face.landmarks)


class SeesTurned:
    """Finds a doubtful face in the upright look, and another one in the picture turned by 180 degrees."""

    def __init__(self):
        self.looks = 0

    def detect(self, image, min_score):
        self.looks += 1
        if self.looks == 1:
            return (Face(Box(60, 50, 80, 70), 0.7, None, 0.0),)
        return (Face(Box(10, 10, 40, 40), 0.9, None, 0.0),) if self.looks == 3 else ()


def test_a_doubtful_upright_find_does_not_end_the_search(marked):
    [true] = TurnedDetector(SeesTurned(), "auto", lambda _, face: face.score > 0.8).detect(marked, 0.5)
    assert (true.score, abs(true.tilt), true.box) == (0.9, 180, Box(60, 40, 90, 70))


def test_a_sure_upright_find_ends_it(marked):
    detector = SeesUpright(score=0.9)
    TurnedDetector(detector, "auto", lambda _image, _face: True).detect(marked, 0.5)
    assert detector.looks == 1


@pytest.mark.parametrize("angles", ["auto", "all"])
def test_nothing_is_found_on_a_turned_looks_word_alone(marked, angles):
    turned = np.ascontiguousarray(np.rot90(marked))
    assert TurnedDetector(SeesUpright(), angles, lambda _image, _face: False).detect(turned, 0.5) == ()


@pytest.mark.parametrize(("score", "kept"), [(0.66, True), (0.64, False)])
def test_an_upright_find_that_barely_reaches_the_minimum_must_be_confirmed(marked, score, kept):
    found = TurnedDetector(SeesUpright(score=score), "auto", lambda _image, _face: False).detect(marked, 0.5)
    assert bool(found) == kept
