"""Masks as people write them."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from lib_facefix import FaceSettings, Treatment
from lib_facefix.errors import BadSetting
from lib_facefix.registry import MASKERS
from lib_facefix.settings.mask_expression import (
    BEYOND_FACE,
    CLASSES,
    COMMON_MASKS,
    FACE_CLASSES,
    BinaryOp,
    MaskTerm,
    keeps_to_face,
    mask_terms,
    parse_mask,
)
from lib_facefix.settings.options import options, schema

HULL, EYES, LIPS, PERSON = (MaskTerm(name) for name in ("hull", "eyes", "lips", "person"))


def plain(area):
    """Write an area with brackets around every pair."""
    if isinstance(area, MaskTerm):
        return area.name + (":" + ",".join(area.classes) if area.classes else "")
    return f"({plain(area.first)} {area.sign} {plain(area.second)})"


@pytest.mark.parametrize(
    ("text", "area"),
    [
        pytest.param("hull", HULL, id="one"),
        pytest.param(" Hull ", HULL, id="spaces and capitals"),
        pytest.param("whole", HULL, id="another name"),
        pytest.param("eyes + lips", BinaryOp(EYES, "+", LIPS), id="both"),
        pytest.param("eyes|lips", BinaryOp(EYES, "+", LIPS), id="both, as programmers write it"),
        pytest.param("hull & person", BinaryOp(HULL, "&", PERSON), id="limited"),
        pytest.param("hull-eyes-lips", BinaryOp(BinaryOp(HULL, "-", EYES), "-", LIPS), id="from left to right"),
        pytest.param("eyes + lips & person", BinaryOp(BinaryOp(EYES, "+", LIPS), "&", PERSON), id="no sign is closer"),
        pytest.param("hull - (eyes + lips)", BinaryOp(HULL, "-", BinaryOp(EYES, "+", LIPS)), id="brackets come first"),
        pytest.param("((hull))", HULL, id="brackets for nothing"),
        pytest.param("parsing:hair,glasses", MaskTerm("parsing", ("hair", "glasses")), id="classes"),
        pytest.param("parsing : hat - eyes", BinaryOp(MaskTerm("parsing", ("hat",)), "-", EYES), id="spaced"),
        pytest.param(" parsing : hair , hat ", MaskTerm("parsing", ("hair", "hat")), id="spaced classes"),
        pytest.param("parsing", MaskTerm("parsing", FACE_CLASSES), id="no classes: the face"),
    ],
)  # fmt: skip
def test_what_is_written_is_understood(text, area):
    assert parse_mask(text) == area
    assert Treatment(mask=text).mask == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "Mask must be one of hull, ellipse, box, .* or several combined, such as", id="nothing"),
        pytest.param("square", "Mask must be one of hull, .*; not 'square'", id="no such mask"),
        pytest.param("hull * eyes", "Mask must be one of", id="no such sign"),
        pytest.param("hull eyes", r"put one of \+ & - between two masks", id="no sign"),
        pytest.param("hull (eyes)", r"put one of \+ & - between two masks", id="no sign before a bracket"),
        pytest.param("hull +", r"put a mask on each side of \+ & -", id="nothing behind a sign"),
        pytest.param("- eyes", r"put a mask on each side of \+ & -", id="nothing before a sign"),
        pytest.param("()", r"put a mask on each side", id="empty brackets"),
        pytest.param("(hull", "A closing bracket is missing", id="not closed"),
        pytest.param("hull)", "has an extra closing bracket", id="not opened"),
        pytest.param("parsing:teeth", "parsing:... must name some of skin, brows, .*; not teeth", id="no such class"),
        pytest.param("hull:hair", "hull has no classes. Only parsing has", id="classes of what has none"),
        pytest.param("(hull) eyes", r"put one of \+ & - between two masks", id="no sign behind a bracket"),
        pytest.param("hull + " * 64 + "hull", "must combine at most 64 masks", id="too many"),
        pytest.param("hull + " * 40_000, "at most 2000 characters, not 280000", id="without end"),
        pytest.param("(" * 17 + "hull" + ")" * 17, "at most 16 nested brackets", id="nothing but brackets"),
    ],
)
def test_what_cannot_be_meant_is_told(text, said):
    with pytest.raises(BadSetting, match=said):
        FaceSettings(mask=text)


AREAS = st.recursive(
    st.sampled_from([name for name in MASKERS.names() if name != "parsing"]).map(MaskTerm)
    | st.lists(st.sampled_from(CLASSES), min_size=1, max_size=3, unique=True).map(
        lambda c: MaskTerm("parsing", tuple(c))
    ),
    lambda inner: st.builds(BinaryOp, inner, st.sampled_from("+&-"), inner),
    max_leaves=6,
)


@given(AREAS)
def test_every_area_can_be_written(area):
    read = parse_mask(plain(area))
    assert read == area
    assert [part.name for part in mask_terms(area)] == [part.name for part in mask_terms(read)]


@given(st.text("hulepars:,+-&|() ", max_size=30))
def test_any_text_is_an_area_or_a_bad_setting(text):
    try:
        parse_mask(text)
    except BadSetting as error:
        assert "Mask" in str(error)  # noqa: PT017 what matters is that nothing else is raised


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("hull", True),
        ("person", False),
        ("hull & person", True),
        ("person & hull", True),
        ("hull - parsing:hair", True),
        ("hull + parsing:hair", False),
        ("parsing:hair - hull", False),
        ("(hull + person) & ellipse", True),
    ],
)
def test_it_is_known_what_reaches_beyond_the_face(text, kept):
    assert keeps_to_face(parse_mask(text)) is kept


def test_all_masks_are_told_apart_by_whether_they_reach_beyond_the_face():
    assert set(BEYOND_FACE) <= set(MASKERS.names())


def test_a_form_offers_what_can_be_read_and_takes_more():
    known = next(known for field, known in options(Treatment) if field.name == "mask")
    assert known.choices() == COMMON_MASKS
    assert all(parse_mask(text) for text in COMMON_MASKS)
    assert schema(Treatment)["properties"]["mask"]["examples"] == list(COMMON_MASKS)
    assert "enum" not in schema(Treatment)["properties"]["mask"]
