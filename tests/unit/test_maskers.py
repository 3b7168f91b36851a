"""Maskers that ask a network; the networks are fakes that tell colours apart."""

import sys

import numpy as np
import pytest
from packages_here import needs_torch

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.errors import BadModel, MissingPackage
from lib_facefix.imaging.align import transform_points
from lib_facefix.imaging.frames import Surrounded, Upright, cut
from lib_facefix.maskers import occluders, parser
from lib_facefix.maskers.combined import Combined
from lib_facefix.maskers.occluders import OccludersMasker, XSeg
from lib_facefix.maskers.parser import LAYOUTS, SIDE, VISIBLE, FaceParser, ParsingMasker
from lib_facefix.maskers.shape import BoxMasker, EllipseMasker
from lib_facefix.planning.planner import make_plan
from lib_facefix.settings.mask_expression import CLASSES
from lib_facefix.types import Box, Face

SKIN, HAIR = (200, 150, 120), (40, 20, 10)


@pytest.fixture
def face(face_at):
    """A face whose box is half as wide as its aligned crop."""
    whole = face_at(400, 300, size=300, degrees=20)
    return Face(Box(325, 225, 475, 375), 0.9, whole.landmarks, 20.0)


@pytest.fixture
def picture():
    """Skin on the face, hair above it, and hair far away from it; the rest is grey."""
    drawn = np.full((600, 800, 3), 128, np.uint8)
    drawn[225:375, 325:475] = SKIN
    drawn[180:240, 325:475] = HAIR
    drawn[420:440, 400:420] = HAIR
    return drawn


class ByColour:
    """A parser that tells classes apart by their colours, whatever the size of what it sees."""

    side = 128

    def __init__(self):
        self.seen = []

    def select_classes(self, image, classes):
        self.seen.append(image)
        colours = {"skin": SKIN, "hair": HAIR}
        found = [np.abs(image.astype(int) - colours[name]).max(2) < 25 for name in classes if name in colours]
        return np.logical_or.reduce([np.zeros(image.shape[:2], bool), *found])

    def find_hidden(self, image):
        return ~self.select_classes(image, ("skin",))


def at(mask, crop, x, y):
    across, down = transform_points(np.array([(x, y)], float), crop.matrix)[0]
    return mask[int(down), int(across)]


@pytest.mark.parametrize("frame", [Upright(512), Surrounded(512, 0.5), Surrounded((448, 576), 0.6, 20)])
def test_a_parser_sees_the_face_upright_however_it_is_framed_and_its_answer_lies_where_it_was_seen(
    frame, picture, face
):
    fake, crop = ByColour(), cut(picture, frame.matrix(face), frame.size)
    hair = ParsingMasker(fake, ("hair",)).mask(crop, face)
    skin = ParsingMasker(fake, ("skin", "hat")).mask(crop, face)

    assert (hair.dtype, hair.shape) == (np.float32, crop.image.shape[:2])
    assert (at(hair, crop, 400, 215), at(hair, crop, 400, 300)) == (1, 0)
    assert (at(skin, crop, 400, 215), at(skin, crop, 400, 300), at(skin, crop, 400, 390)) == (0, 1, 0)
    assert at(hair, crop, 410, 430) == 0, "hair that does not touch the face is another's"
    [first, _] = fake.seen
    assert first.shape == (128, 128, 3)
    aligned = cut(picture, Upright(128).matrix(face), 128).image
    inside = np.s_[40:88, 40:88]
    assert np.abs(first[inside].astype(int) - aligned[inside]).mean() < 4


class Specked(ByColour):
    """One that is mistaken about a few pixels on the cheek, and in the hair."""

    def select_classes(self, image, classes):
        found = super().select_classes(image, classes)
        for place in (np.s_[70:72, 60:62], np.s_[44:46, 60:62]):
            found[place] = ~found[place]
        return found


def test_a_parsers_mistake_about_a_few_pixels_makes_no_spot_on_the_face(picture, face):
    crop = cut(picture, Upright(512).matrix(face), 512)
    for masker in (
        lambda net: ParsingMasker(net, ("hair",)),
        lambda net: ParsingMasker(net, ("skin",)),
        OccludersMasker,
    ):
        assert (masker(Specked()).mask(crop, face) == masker(ByColour()).mask(crop, face)).all()


def test_a_face_without_landmarks_is_parsed_too(picture, face):
    bare = Face(face.box, 0.9)
    crop = cut(picture, Surrounded(512).matrix(bare), 512)
    assert at(ParsingMasker(ByColour(), ("skin",)).mask(crop, bare), crop, 400, 300) == 1


def test_what_is_in_front_of_a_face_is_all_but_the_face_that_shows(picture, face):
    crop = cut(picture, Upright(512).matrix(face), 512)
    hidden = OccludersMasker(ByColour()).mask(crop, face)
    assert [at(hidden, crop, x, y) for x, y in ((400, 300), (400, 230), (400, 390))] == [0, 1, 1]
    shown = Combined(BoxMasker(), "-", OccludersMasker(ByColour())).mask(crop, face)
    assert [at(shown, crop, x, y) for x, y in ((400, 300), (400, 230), (400, 390))] == [1, -1, -1]


@pytest.mark.parametrize(("sign", "middle", "corner"), [("+", 1, 1), ("&", 1, -1), ("-", -1, 1)])
def test_two_masks_are_combined(sign, middle, corner, picture, face):
    crop = cut(picture, Surrounded(512).matrix(face), 512)
    mask = Combined(BoxMasker(), sign, EllipseMasker()).mask(crop, face)
    assert (at(mask, crop, 400, 300), at(mask, crop, 328, 228)) == (middle, corner)


# The parser itself, on a fake network


class Network:
    """Answers with scores that are largest for the class whose number the red channel holds."""

    def __init__(self, layout, answer=None):
        self._layout, self._answer, self.blobs = layout, answer, []

    def __call__(self, blob):
        self.blobs.append(blob)
        if self._answer is not None:
            return [self._answer]
        red = (blob[0, 0] * self._layout.deviation[0] + self._layout.mean[0]) * 255
        wanted = np.rint(red)[None] == np.arange(19)[:, None, None]
        coarse = np.zeros((1, 19, 64, 64), np.float32)
        return [coarse, wanted[None].astype(np.float32)]


@pytest.mark.parametrize(("name", "architecture"), [("resnet18.onnx", "BiSeNet"), ("My-ParseNet.ONNX", "ParseNet")])
def test_every_class_has_its_number_in_the_parsers_own_order(name, architecture, tmp_path, monkeypatch):
    layout = LAYOUTS[architecture]
    network = Network(layout)
    monkeypatch.setattr(parser, "load", lambda path, device: network)
    made = FaceParser(tmp_path / name)
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[..., 0] = (np.arange(SIDE) // 26)[:, None]  # 19 bands
    bands = np.arange(SIDE) // 26
    for wanted in CLASSES:
        rows = made.select_classes(image, (wanted,)).all(1)
        assert [layout.classes[number] for number in np.unique(bands[rows & (bands < 19)])] in (
            [wanted], [wanted] * 2,
        ), wanted  # fmt: skip
    hidden = made.find_hidden(image).all(1)
    assert {layout.classes[number] for number in np.unique(bands[~hidden])} == set(VISIBLE)


def test_both_orders_have_the_same_classes():
    both = [sorted(layout.classes) for layout in LAYOUTS.values()]
    assert both[0] == both[1]
    assert set(both[0]) == {*CLASSES, "background"}
    assert len(both[0]) == 19


def test_a_network_that_is_no_parser_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(parser, "load", lambda path, device: Network(None, np.zeros((1, 3, 512, 512), np.float32)))
    with pytest.raises(BadModel, match=r"other.onnx is not a face parser: its output is \(1, 3, 512, 512\)"):
        FaceParser(tmp_path / "other.onnx").select_classes(np.zeros((SIDE, SIDE, 3), np.uint8), ("skin",))


def test_a_parser_of_pytorch_without_pytorch_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name.startswith("lib_facefix.nets")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingPackage, match=r"the face parser parsing_bisenet.pth needs the Python package 'torch'"):
        FaceParser(tmp_path / "parsing_bisenet.pth")


def test_xseg_is_given_blue_first_and_says_where_the_face_shows(tmp_path, monkeypatch):
    seen = []

    def network(blob):
        seen.append(blob)
        return [blob[..., 2:3].copy()]  # its last channel: red

    monkeypatch.setattr(occluders, "load", lambda path, device: network)
    image = np.zeros((256, 256, 3), np.uint8)
    image[:100, :, 0] = 255
    hidden = XSeg(tmp_path / "xseg_1.onnx").find_hidden(image)
    assert seen[0].shape == (1, 256, 256, 3)
    assert (seen[0].dtype, seen[0].max()) == (np.float32, 1)
    assert not hidden[:100].any()
    assert hidden[100:].all()


def test_a_network_that_is_no_xseg_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(occluders, "load", lambda path, device: lambda blob: [np.zeros((1, 2), np.float32)])
    with pytest.raises(BadModel, match=r"is not an XSeg model: its output is \(1, 2\)\. Choose another file"):
        XSeg(tmp_path / "x.onnx").find_hidden(np.zeros((256, 256, 3), np.uint8))


# Where a model is missing


@needs_torch
@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (
            "hull - parsing:hair",
            r"BiSeNet \(facexlib\) needs parsing_bisenet.pth, which is not installed. Get it with `face",
        ),
        ("hull - occluders", r"XSeg needs xseg_1.onnx, which is not installed. Get it with `facefix models get xseg`"),
    ],
)
def test_a_mask_whose_model_is_missing_fails_the_face_and_says_how_to_get_it(mask, said, picture, face, away_from_home):
    plan = make_plan(picture, [face], FaceSettings(method="restore", mask=mask))
    [result] = FaceFix().run([picture], [plan])
    [outcome] = result.outcomes
    assert outcome.verdict == "failed"
    with pytest.raises(BadModel, match=said):
        raise outcome.error
    assert (result.image == picture).all()
