import pytest
from hypothesis import given
from hypothesis import strategies as some

from lib_facefix.errors import BadSetting
from lib_facefix.settings.detector_expression import (
    Difference,
    Leaf,
    Union,
    Vote,
    choose_classes,
    detector_files,
    format_detector,
    is_valid_class,
    is_valid_name,
    parse_detector,
    quote_name,
    split_classes,
)
from lib_facefix.settings.face_settings import FaceSettings

BLAZE, CENTER, YUNET = Leaf("blazeface"), Leaf("centerface"), Leaf("yunet")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("blazeface", BLAZE, id="a name"),
        pytest.param(" blazeface  +  centerface ", Union((BLAZE, CENTER)), id="either"),
        pytest.param("a.onnx + b.pt + blazeface", Union((Leaf("a.onnx"), Leaf("b.pt"), BLAZE)), id="any of three"),
        pytest.param("blazeface - centerface", Difference(BLAZE, CENTER), id="one without the other"),
        pytest.param(
            "a.onnx + blazeface - centerface", Difference(Union((Leaf("a.onnx"), BLAZE)), CENTER), id="in order"
        ),
        pytest.param("2 of blazeface, centerface,yunet", Vote(2, (BLAZE, CENTER, Leaf("yunet"))), id="a vote"),
        pytest.param("yolo.onnx[person, cat]", Leaf("yolo.onnx", ("person", "cat")), id="classes"),
        pytest.param(
            "1 of a.onnx[0,1], blazeface", Vote(1, (Leaf("a.onnx", ("0", "1")), BLAZE)), id="classes in a vote"
        ),
        pytest.param("(blazeface)", BLAZE, id="brackets for nothing"),
        pytest.param("( blazeface + centerface ) - yunet", Difference(Union((BLAZE, CENTER)), YUNET), id="brackets"),
        pytest.param(
            "yunet - (blazeface + centerface)", Difference(YUNET, Union((BLAZE, CENTER))), id="brackets first"
        ),
        pytest.param(
            "(2 of blazeface, centerface, yunet) - a.pt[cat]",
            Difference(Vote(2, (BLAZE, CENTER, YUNET)), Leaf("a.pt", ("cat",))),
            id="a vote in brackets",
        ),
        pytest.param(
            "2 of (yunet - blazeface), centerface", Vote(2, (Difference(YUNET, BLAZE), CENTER)), id="brackets in a vote"
        ),
        pytest.param("face (1).pt - blazeface", Difference(Leaf("face (1).pt"), BLAZE), id="brackets in a name"),
        pytest.param('"(1).pt"', Leaf("(1).pt"), id="a name that begins with a bracket needs quotes"),
        pytest.param("C:/my models/x - y.onnx [face]", None, id="a sign in a path needs quotes"),
        pytest.param('"C:/my - models, x/y.onnx"[face]', Leaf("C:/my - models, x/y.onnx", ("face",)), id="quotes"),
        pytest.param("yolov8n-face", Leaf("yolov8n-face"), id="a dash in a name is no sign"),
        pytest.param("face_yolov8n.pt", Leaf("face_yolov8n.pt"), id="a name of ADetailer's"),
        pytest.param("mediapipe_face_mesh", Leaf("mediapipe_face_full"), id="another one"),
    ],
)
def test_what_is_written_is_read(text, wanted):
    if wanted is None:
        with pytest.raises(BadSetting):
            parse_detector(text)
    else:
        assert parse_detector(text) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a name or a file is missing"),
        ("YOLO9", r"must be one of auto, blazeface, centerface.* or a model file \(\.onnx, \.pt\).*not 'YOLO9'"),
        ("blazeface + nonsense", "not 'nonsense'"),
        ("blazeface +", "not 'blazeface \\+'"),
        ("3 of blazeface, centerface", "3 of 2 cannot agree. Choose 1 to 2"),
        ("0 of blazeface", "0 of 1 cannot agree"),
        ("blazeface[person]", "blazeface detects only faces"),
        ("(blazeface", 'such as "blazeface \\+ centerface".* A closing bracket is missing'),
        ("blazeface)", r".* in quotes. 'blazeface\)' has an extra closing bracket"),
        (
            "(yunet).pt",
            r"put one of \+ - \(with a space on each side\) between two detectors, .* in quotes",
        ),
        ("blazeface + ()", "a name or a file is missing"),
        ("blazeface + " * 64 + "blazeface", "must combine at most 64 detectors"),
        ("a" * 240_000, "at most 2000 characters, not 240000"),
        ("(" * 17 + "blazeface" + ")" * 17, "at most 16 nested brackets"),
        (" " * 1998 + '"', "a name or a file is missing"),
        ("mediapipe_face_mesh_eyes_only", "Choose mediapipe_face_full and the mask eyes"),
    ],
)
def test_what_cannot_be_read_is_told(text, said):
    with pytest.raises(BadSetting, match=said):
        FaceSettings(detector=text)


def test_files_with_a_folder_are_told_apart_from_names():
    assert detector_files("face_yolov8n.pt + ./near.onnx - /far/away.pt[face]") == ("./near.onnx", "/far/away.pt")
    assert detector_files("blazeface") == ()


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("face_yolov8n.pt", "face_yolov8n.pt"),
        ("anime face, v2.onnx", '"anime face, v2.onnx"'),
        ("eyes + mouth.pt", '"eyes + mouth.pt"'),
        ("face [v2].onnx", '"face [v2].onnx"'),
        ("2 of many.pt", '"2 of many.pt"'),
        ("face (1).pt", "face (1).pt"),
        ("(1).pt", '"(1).pt"'),
        ("1).pt", '"1).pt"'),
    ],
)
def test_a_name_is_written_so_that_it_is_read_as_that_file(name, expression):
    assert quote_name(name) == expression
    assert parse_detector(expression) == Leaf(name)


@given(some.text(some.sampled_from('ab 2of,+-[]()"~.\n\u3000\udcff'), min_size=1, max_size=12))
def test_what_can_be_written_is_read_as_that_file_wherever_it_stands(name):
    name += ".pt"
    if not is_valid_name(name):
        assert '"' in name or "\udcff" in name
        return
    text, one = quote_name(name), Leaf(name)
    assert parse_detector(f"2 of blazeface, {text}, yunet").parts[1] == one
    assert parse_detector(f"{text} - blazeface").found == one
    assert parse_detector(f"yunet - (blazeface + {text})").unless == Union((BLAZE, one))
    assert parse_detector(f"blazeface + {text}[face, 2]").parts[1] == Leaf(name, ("face", "2"))


@pytest.mark.parametrize(
    "text",
    [
        "blazeface",
        "a.onnx[face, 2]",
        "a.onnx + b.pt + blazeface",
        "(a.onnx + blazeface) - centerface",
        "(a.onnx - blazeface) - (b.pt[cat] + yunet)",
        "2 of blazeface, (centerface + yunet), a.pt",
        '"my - models.onnx"[face]',
        "(2 of blazeface, centerface, yunet) + a.pt",
    ],
)
def test_an_expression_is_written_as_it_was_read(text):
    assert format_detector(parse_detector(text)) == text


@given(some.recursive(
    some.builds(Leaf, some.sampled_from(["blazeface", "a.onnx", "b - c.pt", "(1).pt"]),),
    lambda parts: some.one_of(
        some.builds(Difference, parts, parts),
        some.builds(lambda *one: Vote(1, one), parts, parts),
    ), max_leaves=6,
))  # fmt: skip
def test_any_expression_can_be_written(wanted):
    assert parse_detector(format_detector(wanted)) == wanted


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("a.onnx[hand, face]", {"hand": "a.onnx[hand]", "face": "a.onnx[face]"}, id="in the order given"),
        pytest.param(
            '"my, a.onnx"[0,1] - blazeface - b.pt',
            {"0": '("my, a.onnx"[0] - blazeface) - b.pt', "1": '("my, a.onnx"[1] - blazeface) - b.pt'},
            id="without others",
        ),
        pytest.param("a.onnx[face]", {}, id="one class"),
        pytest.param("a.onnx[face, face]", {"face": "a.onnx[face]"}, id="one class twice"),
        pytest.param("a.onnx", {}, id="all classes"),
        pytest.param("blazeface + a.onnx[face]", {}, id="nothing to separate"),
        pytest.param("blazeface - a.onnx[face,hand]", {}, id="classes of what is taken away"),
    ],
)
def test_classes_are_separated(text, parts):
    assert dict(split_classes(text)) == parts


@pytest.mark.parametrize("text", ["blazeface + a.onnx[face,hand]", "1 of a.onnx[face,hand], blazeface",
                                  "(blazeface + a.onnx[face,hand]) - yunet"])  # fmt: skip
def test_classes_of_one_of_several_detectors_cannot_be_separated(text):
    with pytest.raises(BadSetting, match=r"needs one model file, such as .*Give each detector a pass of its own"):
        split_classes(text)


@pytest.mark.parametrize(
    ("text", "classes", "made"),
    [
        ("a.onnx", ["face", "hand"], "a.onnx[face, hand]"),
        ("a.onnx[face, hand]", ["hand"], "a.onnx[hand]"),
        ('"a, b.pt"[face]', [], '"a, b.pt"'),
    ],
)
def test_other_classes_can_be_chosen(text, classes, made):
    assert choose_classes(text, classes) == made


def test_classes_cannot_be_chosen_for_several_detectors_at_once():
    with pytest.raises(BadSetting, match="single model file"):
        choose_classes("a.onnx + blazeface", ["face"])


@given(some.text(max_size=8).filter(is_valid_class))
def test_a_class_that_is_valid_is_read_as_it_is(name):
    assert parse_detector(choose_classes("a.onnx", [name, "x"])).classes == (name, "x")


@pytest.mark.parametrize("name", ["", " a", "a ", "a,b", "a]", "a\0"])
def test_a_class_that_cannot_be_written_is_not_valid(name):
    assert not is_valid_class(name)
