"""Which model files are on offer, and where one that is named lies; nothing of them is run or loaded."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from yolo_made import yolo_onnx

from lib_facefix.detectors.yolo_onnx import from_onnx
from lib_facefix.errors import BadModel
from lib_facefix.models.yolo_files import _folders, yolo_file, yolo_files
from lib_facefix.weights import asset, locate_models, read_onnx

FACE = (100, 50, 180, 150)
NET = yolo_onnx((640, 480), [FACE])


@pytest.fixture
def webui(tmp_path, away_from_home):
    return tmp_path / "webui"


@pytest.fixture
def places(webui, tmp_path):
    """Model paths in a WebUI, a folder of weights of every kind, and one of further YOLO models."""
    return locate_models([tmp_path / "own"], [webui], yolo=[tmp_path / "more"])


def put(path, content=NET):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_pt(path, *classes):
    """Put a .pt there whose pickle names these classes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    named = b"".join(b"c" + one.replace(":", "\n").encode() + b"\n0" for one in classes)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", pickle.dumps(None, protocol=2).replace(b"\x80\x02", b"\x80\x02" + named, 1))
    return path


def names(places):
    return [path.name for path in yolo_files(places)]


def test_the_net_that_the_tests_make_finds_what_it_is_told_to(tmp_path):
    [face] = from_onnx(put(tmp_path / "face.onnx")).detect(np.zeros((480, 640, 3), np.uint8), 0.5)
    assert (face.box.left, face.box.top, face.box.right, face.box.bottom) == pytest.approx(FACE, abs=0.01)


def test_without_any_folder_nothing_is_on_offer(places):
    assert yolo_files(places) == ()


@pytest.mark.parametrize(
    "folder",
    [
        "webui/models/adetailer",
        "webui/models/adetailer/drawn/2024",
        "webui/models/ultralytics/bbox",
        "webui/models/ultralytics/segm",
        "webui/models/yolo",
        "webui/ultralytics",
        "more",
        "more/deeper",
    ],
)
@pytest.mark.parametrize("name", ["face_yolov8n.pt", "Anime-Face.ONNX"])
def test_whatever_lies_in_a_folder_of_yolo_models_is_offered_and_found(places, tmp_path, folder, name):
    lying = put(tmp_path / folder / name, b"not looked into")
    assert yolo_files(places) == (lying,)
    assert yolo_file(name, places) == lying


@pytest.mark.parametrize("variable", ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME"])
def test_what_adetailer_has_downloaded_is_found_where_it_lies(tmp_path, variable):
    below = {"HF_HOME": "hub", "XDG_CACHE_HOME": "huggingface/hub", "HOME": ".cache/huggingface/hub"}
    repository = tmp_path / below.get(variable, "") / "models--Bingsu--adetailer"
    content = put(repository / "blobs" / "0123abcd")
    lying = repository / "snapshots" / "4567ef" / "face_yolov8n.pt"
    lying.parent.mkdir(parents=True)
    lying.symlink_to(content)
    places = locate_models(environ={"HOME": str(tmp_path / "away"), variable: str(tmp_path)})
    assert yolo_files(places) == (lying,)
    assert yolo_file("face_yolov8n.pt", places) == lying


def test_they_are_offered_by_name_each_once_and_the_one_that_is_used(places, tmp_path):
    put(tmp_path / "more" / "b.onnx")
    first = put(tmp_path / "webui" / "models" / "adetailer" / "b.onnx")
    put(tmp_path / "more" / "A.pt")
    assert names(places) == ["A.pt", "b.onnx"]
    assert yolo_files(places)[1] == yolo_file("b.onnx", places) == first


def test_other_files_and_empty_ones_are_not_offered(places, tmp_path):
    for name in ("readme.txt", "face.safetensors", "4x.pth"):
        put(tmp_path / "more" / name)
    put(tmp_path / "more" / "empty.onnx", b"")
    (tmp_path / "more" / "folder.pt").mkdir()
    put(tmp_path / "more" / ".git" / "old.onnx")
    assert names(places) == []


def test_weights_that_have_a_name_on_offer_are_not_offered_as_files(places, tmp_path):
    for name in ("yolov8n-face.onnx", "face_parsing_resnet18.onnx", "face-parsing-resnet18.onnx", "det_10g.onnx"):
        put(tmp_path / "webui" / "models" / "adetailer" / name)
    assert names(places) == []


def test_among_weights_of_every_kind_only_yolo_models_are_offered(places, tmp_path):
    own = tmp_path / "own"
    put(own / "face.onnx")
    put(own / "untold.onnx", yolo_onnx((640, 480), [FACE], names=""))
    put_pt(own / "seg.pt", "collections:OrderedDict", "ultralytics.nn.tasks:SegmentationModel")
    put_pt(own / "4x-upscaler.pt", "collections:OrderedDict", "torch._utils:_rebuild_tensor_v2")
    put(own / "old.pt", b"no zip")
    put(own / "centerface.onnx", asset("centerface.onnx").read_bytes())
    put(own / "restorer.onnx", asset("lite.onnx").read_bytes())
    put(own / "embedding.onnx", asset("identity.onnx").read_bytes())
    put(own / "damaged.onnx", NET[:-9])
    put(tmp_path / "own" / "below" / "unseen.onnx")
    put(tmp_path / "webui" / "models" / "facefix" / "host.onnx")
    assert names(places) == ["face.onnx", "host.onnx", "seg.pt", "untold.onnx"]


def test_a_file_that_becomes_another_one_is_looked_into_again(places, tmp_path):
    lying = put(tmp_path / "own" / "net.onnx")
    assert names(places) == ["net.onnx"]
    put(lying, asset("lite.onnx").read_bytes())
    os.utime(lying, ns=(1, 1))
    assert names(places) == []


def test_a_damaged_file_is_looked_into_once(places, tmp_path, monkeypatch):
    looks = []
    monkeypatch.setattr("lib_facefix.models.yolo_files.read_onnx", lambda path: looks.append(path) or read_onnx(path))
    lying = put(tmp_path / "own" / "net.onnx", NET[:-9])
    assert names(places) == names(places) == []
    assert looks == [lying]
    put(lying)
    assert names(places) == ["net.onnx"]


def test_no_damaged_file_stops_the_listing_of_the_others(places, tmp_path):
    put(tmp_path / "own" / "untyped.onnx", b"\x3a\x06\x5a\x04\x0a\x02ab")
    put(tmp_path / "own" / "room.onnx", bytes(1000))
    put(tmp_path / "own" / "room.pt", bytes(1000))
    put(tmp_path / "own" / "whole.onnx")
    assert names(places) == ["whole.onnx"]


@pytest.mark.parametrize("name", ['a"b.onnx', '"quoted".pt', pytest.param(b"\xff.onnx", id="no text")])
def test_a_name_that_no_setting_can_have_is_not_offered(places, tmp_path, name):
    try:
        put(tmp_path / "more" / os.fsdecode(name))
    except OSError:
        pytest.skip("this file system has no such names")
    assert names(places) == []


def test_a_folder_that_is_a_link_is_looked_into(places, tmp_path):
    put(tmp_path / "elsewhere" / "bbox" / "face.pt")
    top = tmp_path / "webui" / "models" / "ultralytics"
    top.mkdir(parents=True)
    (top / "bbox").symlink_to(tmp_path / "elsewhere" / "bbox")
    assert yolo_files(places) == (top / "bbox" / "face.pt",)
    assert yolo_file("face.pt", places) == top / "bbox" / "face.pt"


@pytest.mark.parametrize("back", ["..", ".", "../../webui"])
def test_links_that_go_round_in_a_circle_come_to_an_end(places, tmp_path, back):
    lying = put(tmp_path / "more" / "a" / "face.pt")
    (lying.parent / "round").symlink_to(back)
    (tmp_path / "more" / "twice").symlink_to("a")
    (tmp_path / "webui" / "models").mkdir(parents=True)
    (tmp_path / "webui" / "models" / "yolo").symlink_to(tmp_path / "more")
    looked = list(_folders(places))
    assert len(looked) == len(dict.fromkeys(folder.resolve() for folder, _ in looked))
    assert [path.resolve() for path in yolo_files(places)] == [lying]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is locked for this user")
def test_a_folder_that_cannot_be_read_is_as_good_as_none(places, tmp_path):
    put(tmp_path / "more" / "a.onnx")
    (tmp_path / "more").chmod(0)
    try:
        assert names(places) == []
    finally:
        (tmp_path / "more").chmod(0o700)


def test_what_was_converted_comes_first_until_the_checkpoint_is_newer(places, tmp_path):
    there = put(tmp_path / "webui" / "models" / "adetailer" / "face_yolov8n.pt")
    converted = put(there.with_suffix(".onnx"))
    os.utime(there, (1, 1))
    assert yolo_file("face_yolov8n.pt", places) == converted
    os.utime(converted, (0, 0))
    assert yolo_file("face_yolov8n.pt", places) == there


def test_a_file_of_that_name_in_another_folder_is_another_model(places, tmp_path):
    other = put(tmp_path / "webui" / "models" / "yolo" / "hands" / "best.onnx")
    there = put(tmp_path / "more" / "faces" / "best.pt")
    os.utime(there, (1, 1))
    assert yolo_file("best.pt", places) == there
    assert yolo_file("best.onnx", places) == other


def test_what_was_converted_answers_to_the_name_of_a_checkpoint_that_is_nowhere(places, tmp_path):
    alone = put(tmp_path / "webui" / "models" / "yolo" / "face_yolov8n.onnx")
    put(tmp_path / "more" / "face_yolov8n.onnx")
    assert yolo_file("face_yolov8n.pt", places) == alone
    assert yolo_file(str(alone.with_suffix(".pt")), places) == alone


def test_a_file_that_vanishes_while_it_is_looked_for_is_not_here(places, tmp_path, monkeypatch):
    there = put(tmp_path / "more" / "face.pt")
    put(there.with_suffix(".onnx"))
    real = Path.stat

    def once(path, **how):
        status = real(path, **how)
        if path in (there, there.with_suffix(".onnx")):
            path.unlink()
        return status

    monkeypatch.setattr(Path, "stat", once)
    assert yolo_file("face.pt", places) == there.with_suffix(".onnx")
    with pytest.raises(BadModel, match=r"face\.pt is not installed"):
        yolo_file("face.pt", places)


def test_all_folders_are_gone_through_once(places, tmp_path, monkeypatch):
    for number in range(5):
        (tmp_path / "more" / str(number)).mkdir(parents=True)
    walked, real = [], os.walk
    monkeypatch.setattr(os, "walk", lambda top, **how: walked.append(top) or real(top, **how))
    with pytest.raises(BadModel):
        yolo_file("gone.pt", places)
    assert len(walked) == len(set(walked))


@pytest.mark.parametrize("name", ["~x.pt", "~nobody-of-that-name/x.pt", "./" + "x" * 300 + ".pt", "a\0b/x.onnx"])
def test_whatever_is_asked_for_the_answer_is_a_sentence(places, name):
    with pytest.raises(BadModel, match="is not installed"):
        yolo_file(name, places)


def test_a_tilde_is_the_home_in_a_path_and_part_of_a_name(places, tmp_path):
    named = put(tmp_path / "more" / "~x.pt")
    at_home = put(Path.home() / "models" / "x.pt")
    assert (yolo_file("~x.pt", places), yolo_file("~/models/x.pt", places)) == (named, at_home)


def test_a_file_that_is_nowhere_is_told_with_all_places(places, tmp_path):
    with pytest.raises(BadModel) as told:
        yolo_file("gone.pt", places)
    for place in (tmp_path / "own", tmp_path / "more", "adetailer, ultralytics, yolo", "write ./gone.pt"):
        assert str(place) in str(told.value)
