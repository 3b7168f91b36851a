"""Where weights are looked for, on made-up folders."""

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from lib_facefix.errors import BadModel
from lib_facefix.weights import (
    PUBLISHED,
    ModelPaths,
    Published,
    asset,
    find_record,
    locate_models,
    packaged,
    sha256_of,
    verify_file,
)
from lib_facefix.weights.model_paths import cache_folder, data_folder
from lib_facefix.weights.packaged import as_raw
from lib_facefix.weights.tensorfile import Source, write_tensors

GFPGAN, CODEFORMER, X4PLUS = "GFPGANv1.4.pth", "codeformer-v0.1.0.pth", "RealESRGAN_x4plus.pth"


@pytest.fixture(autouse=True)
def no_package(monkeypatch):
    monkeypatch.setattr(packaged, "find_installed", lambda record: None)


def put(path, content=b"weights"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_converted(path, source, sha256, size, value=1.0):
    write_tensors(path, as_raw({"a": np.full(5, value, np.float32)}), Source(source, sha256, size))
    return path


@pytest.mark.parametrize("one", PUBLISHED.values(), ids=lambda one: one.name)
def test_every_record_is_complete(one):
    assert re.fullmatch("[0-9a-f]{64}", one.sha256)
    assert one.bytes > 100_000 or one.bytes == 0  # which no source says of YuNet and of YOLOv8n face
    assert one.urls
    assert all(url.startswith("https://") for url in one.urls)
    assert all((one.name, one.licence, one.notice, one.folders))
    assert all(find_record(name) is one for name in one.names)


def test_a_name_that_nothing_has_is_refused_with_those_on_offer():
    with pytest.raises(BadModel, match=r"GFPGANv1\.4"):
        find_record("nothing.pth")


def test_folders_of_yolo_models_are_those_given_then_the_variables_then_adetailers(tmp_path):
    environ = {"HOME": str(tmp_path), "FACEFIX_YOLO": os.pathsep.join([str(tmp_path / "b"), "", str(tmp_path / "a")])}
    places = locate_models(environ=environ, yolo=[tmp_path / "a"])
    assert places.yolo[:2] == (tmp_path / "a", tmp_path / "b")
    assert [path.parts[-2:] for path in places.yolo[2:]] == [("models--Bingsu--adetailer", "snapshots")]


def test_the_home_of_nobody_is_a_folder_that_is_not_there(tmp_path):
    nobody = Path("~nobody-of-that-name/models")
    variables = dict.fromkeys(("FACEFIX_MODELS", "FACEFIX_WEBUI", "FACEFIX_YOLO", "HF_HOME"), str(nobody))
    places = locate_models([nobody], yolo=[nobody], environ={"HOME": str(tmp_path), **variables})
    assert (places.own, places.hosts, places.yolo[0]) == (nobody, (nobody,), nobody)
    assert places.find(GFPGAN) is None


def test_the_users_folders_come_before_the_hosts_in_the_order_given(tmp_path):
    home = {
        "HOME": str(tmp_path / "home"),
        "FACEFIX_MODELS": os.pathsep.join([str(tmp_path / "b"), str(tmp_path / "c")]),
    }
    places = locate_models([tmp_path / "a"], [tmp_path / "webui"], home)
    assert places.own == tmp_path / "a"
    last_first = [
        tmp_path / "webui" / "models" / "GFPGAN",
        data_folder(home),
        tmp_path / "c",
        tmp_path / "b",
        tmp_path / "a",
    ]
    assert places.find(GFPGAN) is None
    for folder in last_first:
        lying = put(folder / GFPGAN)
        assert places.find(GFPGAN) == lying


def test_without_folders_downloads_go_to_the_users_data(tmp_path):
    home = {"HOME": str(tmp_path)}
    assert locate_models(environ=home).own == data_folder(home)
    assert data_folder(home).is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="these systems have other folders")
def test_folders_follow_the_xdg_rules():
    given = {"HOME": "/home/ann", "XDG_DATA_HOME": "/data", "XDG_CACHE_HOME": "relative"}
    assert data_folder(given) == Path("/data/facefix/models")
    assert cache_folder(given) == Path("/home/ann/.cache/facefix")
    assert cache_folder({"FACEFIX_CACHE": "/fast"}) == Path("/fast")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("models/Codeformer/codeformer-v0.1.0.pth", CODEFORMER),
        ("models/codeformer/codeformer.pth", CODEFORMER),
        ("Codeformer/codeformer-v0.1.0.pth", "codeformer.pth"),
        ("models/facerestore_models/GFPGANv1.4.pth", GFPGAN),
        ("models/upscale_models/RealESRGAN_x4plus.pth", X4PLUS),
        ("ESRGAN/RealESRGAN_x4plus.pth", X4PLUS),
        ("models/facefix/my-own.pth", "my-own.pth"),
    ],
)
def test_what_a_host_has_is_found_by_every_name_and_spelling(tmp_path, file, name):
    places = locate_models(
        environ={"HOME": str(tmp_path / "home"), "FACEFIX_WEBUI": f"{tmp_path}{os.pathsep}/not/there"}
    )
    lying = put(tmp_path / file)
    assert places.find(name) == lying


def test_a_folder_or_an_empty_file_is_not_found(tmp_path):
    (tmp_path / GFPGAN).mkdir()
    put(tmp_path / X4PLUS, b"")
    places = ModelPaths(tmp_path, (tmp_path,), cache=tmp_path / "cache")
    assert places.find(GFPGAN) is None
    assert places.find(X4PLUS) is None


def test_a_converted_file_is_preferred_only_if_it_is_from_the_one_beside_it(tmp_path):
    original = put(tmp_path / GFPGAN, b"12345")
    converted = tmp_path / "GFPGANv1.4.safetensors"
    places = ModelPaths(tmp_path, (tmp_path,), cache=tmp_path / "cache")

    put_converted(converted, GFPGAN, sha256_of(original), 5)
    assert places.find(GFPGAN) == converted
    put(original, b"abcde")  # another file of the same size
    assert places.find(GFPGAN) == original
    original.unlink()
    assert places.find(GFPGAN) == converted
    put(original, b"abcde")
    put(converted, b"no safetensors at all")
    assert places.find(GFPGAN) == original


def test_a_file_is_hashed_once_and_again_after_a_change(tmp_path, monkeypatch):
    hashed = []
    monkeypatch.setattr("lib_facefix.weights.checksums.sha256_of", lambda path: hashed.append(path) or sha256_of(path))
    file, cache = put(tmp_path / "x.pth"), tmp_path / "cache"
    record = Published("x.pth", sha256_of(file), 7, "free", "", (), ())
    for _ in range(3):
        assert verify_file(file, record, cache) == file
    assert len(hashed) == 1

    put(file, b"Weights")
    os.utime(file, ns=(1, 1))
    with pytest.raises(BadModel, match=r"not the published x\.pth"):
        verify_file(file, record, cache)
    assert len(hashed) == 2


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"sha256:x": 3}', b"\xff"])
def test_a_damaged_memory_is_forgotten(tmp_path, content):
    file = put(tmp_path / "x.pth")
    put(tmp_path / "hashes.json", content)
    record = Published("x.pth", sha256_of(file), 7, "free", "", (), ())
    assert verify_file(file, record, tmp_path) == file
    assert any(key.endswith("x.pth") for key in json.loads((tmp_path / "hashes.json").read_text()))


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    file = put(tmp_path / "x.pth")
    assert verify_file(file, Published("x.pth", sha256_of(file), 7, "free", "", (), ()), file / "below a file") == file


def test_a_converted_file_is_checked_by_its_origin_and_its_content(tmp_path):
    record = PUBLISHED[GFPGAN]
    good = put_converted(tmp_path / "good.safetensors", GFPGAN, record.sha256, record.bytes)
    assert verify_file(good, record) == good

    other = put_converted(tmp_path / "other.safetensors", GFPGAN, "0" * 64, record.bytes)
    with pytest.raises(BadModel, match="not the published"):
        verify_file(other, record)

    content = good.read_bytes()
    put(good, content[:-1] + b"\xff")
    with pytest.raises(BadModel, match="damaged"):
        verify_file(good, record)

    put(good, b'\x08\0\0\0\0\0\0\0{"a":{}}')
    with pytest.raises(BadModel, match="cannot be verified"):
        verify_file(good, record)


def test_a_file_that_is_missing_is_refused_with_its_path(tmp_path):
    with pytest.raises(BadModel, match="gone"):
        verify_file(tmp_path / "gone.pth", PUBLISHED[GFPGAN], tmp_path)
    with pytest.raises(BadModel, match="Install FaceFix again"):
        asset("nothing.onnx")
