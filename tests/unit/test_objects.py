"""Images in object stores, here fsspec's own in the memory of this process."""

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

fsspec = pytest.importorskip("fsspec")

from lib_facefix.batch import Gallery, Job  # noqa: E402
from lib_facefix.cli import __main__ as command  # noqa: E402
from lib_facefix.errors import BadPicture, MissingPackage  # noqa: E402
from lib_facefix.pictures import find_pictures  # noqa: E402
from lib_facefix.pictures.objects import as_path, as_url, forget_listed, is_remote, read_object  # noqa: E402

PHOTO = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
QUICK = ["--detector", "blazeface", "--angles", "off", "--method", "restore"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def store():
    """An empty store that has three images in memory://album/in, and other things."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    forget_listed()
    with Pil.open(PHOTO) as opened:
        small = opened.convert("RGB").resize((128, 120))
    for name in ("face.jpg", "deep/face.png"):
        packed = io.BytesIO()
        small.save(packed, "JPEG" if name.endswith("jpg") else "PNG")
        files.pipe_file(f"/album/in/{name}", packed.getvalue())
    packed = io.BytesIO()
    Pil.fromarray(np.full((20, 30, 3), 70, np.uint8)).save(packed, "PNG")
    files.pipe_file("/album/in/plain.png", packed.getvalue())
    files.pipe_file("/album/in/notes.txt", b"no image")
    files.pipe_file("/album/input/other.png", packed.getvalue())
    yield files
    files.store.clear()
    forget_listed()


def run(*arguments):
    return command.main([*map(str, arguments), *QUICK])


def results(store, folder):
    found = {name.removeprefix(f"{folder}/"): store.cat_file(name) for name in store.find(folder)}
    return {name: content for name, content in found.items() if not name.startswith(".facefix")}


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("s3://bucket/a.jpg", True),
        ("memory://a", True),
        ("a.jpg", False),
        ("/x/s3:/y", False),
        ("file:///x/a.jpg", False),
        ("C:/photos", False),
        ("C:\\photos", False),
    ],
)
def test_an_address_is_told_from_a_path(text, remote):
    assert is_remote(text) == remote
    assert is_remote(as_path(text)) == remote
    if remote:
        assert as_url(as_path(text)) == text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:///photos/my%20album", "/photos/my album"),
        ("file://localhost/photos", "/photos"),
        ("FILE:///photos", "/photos"),
        ("file:///photos/who?/#1.jpg", "/photos/who?/#1.jpg"),
        ("file:///photos/%E9.jpg", os.fsdecode(b"/photos/\xe9.jpg")),
    ],
)
def test_a_file_address_is_a_file(text, path):
    assert as_path(text) == Path(path)


@pytest.mark.parametrize("address", ["file://album", "file://", "file://localhost", "file://album/in", "file:///a%00b"])
def test_a_file_address_without_its_third_slash_changes_no_photo(tmp_path, monkeypatch, capsys, address):
    photo = tmp_path / "face.jpg"
    photo.write_bytes(PHOTO.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert run("fix", address, "--in-place") == 2
    assert run("fix", photo, "-o", address) == 2
    told = capsys.readouterr().err
    assert "names no file of this machine" in told
    assert "Write file:///a" in told or address == "file://localhost"
    assert photo.read_bytes() == PHOTO.read_bytes()
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["face.jpg"]


@pytest.mark.parametrize("address", ["memory://", "s3://", "memory:///", "memory://.", "S3://bucket/out"])
def test_an_address_that_names_nothing_is_no_folder(store, tmp_path, monkeypatch, capsys, address):
    monkeypatch.chdir(tmp_path)
    for arguments in (["memory://album/in", "-o", address], [address, "-o", "out"]):
        assert run("fix", *arguments) == 2
        assert f"{address} names nothing in a store" in capsys.readouterr().err
    assert not [path.name for path in tmp_path.iterdir() if path.name != "cache"]


def test_objects_are_listed_like_files(store):
    found = find_pictures(["memory://album/in"])
    assert [as_url(file.path) for file in found] == [
        "memory://album/in/deep/face.png",
        "memory://album/in/face.jpg",
        "memory://album/in/plain.png",
    ]
    assert [file.relative.as_posix() for file in found] == ["deep/face.png", "face.jpg", "plain.png"]


def test_a_folder_in_a_store_is_fixed_to_the_same_bytes_as_on_a_disk(store, tmp_path):
    assert run("fix", "memory://album/in", "-o", "memory://album/out", "--report", tmp_path / "r.jsonl") == 0
    for name, content in results(store, "/album/in").items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    assert run("fix", tmp_path / "in", "-o", tmp_path / "out") == 0

    made = results(store, "/album/out")
    assert sorted(made) == ["deep/face.png", "face.jpg", "plain.png"]
    assert all((tmp_path / "out" / name).read_bytes() == content for name, content in made.items())
    assert made["face.jpg"] != store.cat_file("/album/in/face.jpg")
    records = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert {record["output"] for record in records} == {f"memory://album/out/{name}" for name in made}


def test_a_run_in_a_store_is_continued(store, capsys):
    run("fix", "memory://album/in", "-o", "memory://album/out")
    assert not [name for name in store.find("/album/out") if "/lock" in name]
    store.rm_file("/album/out/face.jpg")
    store.pipe_file("/album/in/plain.png", store.cat_file("/album/in/deep/face.png"))
    capsys.readouterr()

    assert run("fix", "memory://album/in", "-o", "memory://album/out") == 0
    told = capsys.readouterr().out
    assert told.startswith("1 of 3 images were done by an earlier run; 2 to do\n")
    assert results(store, "/album/out")["plain.png"] != store.cat_file("/album/in/plain.png")
    assert run("fix", "memory://album/in", "-o", "memory://album/out") == 0
    assert capsys.readouterr().out.startswith("3 of 3 images were done")


def test_results_whose_lines_were_lost_are_done_again_and_those_of_others_are_kept(store, capsys):
    run("fix", "memory://album/in", "-o", "memory://album/out")
    expected = results(store, "/album/out")
    for name in store.find("/album/out/.facefix"):
        if b'{"target"' in store.cat_file(name) and b'"announced"' not in store.cat_file(name):
            store.rm_file(name)
    assert run("fix", "memory://album/in", "-o", "memory://album/out") == 0
    assert results(store, "/album/out") == expected

    store.pipe_file("/album/mine/face.jpg", b"mine")
    capsys.readouterr()
    assert run("fix", "memory://album/in", "-o", "memory://album/mine") == 2
    assert "memory://album/mine/face.jpg would be overwritten" in capsys.readouterr().err
    assert store.cat_file("/album/mine/face.jpg") == b"mine"


def test_from_a_store_to_a_folder_and_back(store, tmp_path):
    assert run("fix", "memory://album/in", "-o", tmp_path / "out") == 0
    assert (tmp_path / "out" / ".facefix" / "journal").exists()
    assert run("fix", tmp_path / "out", "-o", "memory://album/again") == 0
    assert results(store, "/album/again")["face.jpg"] == (tmp_path / "out" / "face.jpg").read_bytes()


def test_photos_in_a_store_are_not_fixed_in_place(store, capsys):
    assert run("fix", "memory://album/in", "--in-place") == 2
    assert "--in-place needs files" in capsys.readouterr().err


def test_what_cannot_be_read_is_explained(store, monkeypatch):
    with pytest.raises(BadPicture, match=r"memory://album/gone\.jpg does not exist"):
        read_object(Path("memory:/album/gone.jpg"))
    with pytest.raises(BadPicture, match=r"memory://album/nothing"):
        find_pictures(["memory://album/nothing"])
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingPackage, match="facefix"):
        read_object(Path("s3:/bucket/a.jpg"))


def test_a_result_in_a_store_that_somebody_changed_is_kept(store, capsys):
    run("fix", "memory://album/in", "-o", "memory://album/out")
    store.pipe_file("/album/out/face.jpg", b"mine")
    capsys.readouterr()
    assert run("fix", "memory://album/in", "-o", "memory://album/out", "--fidelity", "0.9") == 0
    assert "1 result was changed since FaceFix wrote it, and is kept" in capsys.readouterr().out
    assert store.cat_file("/album/out/face.jpg") == b"mine"
    assert run("fix", "memory://album/in", "-o", "memory://album/out", "--overwrite") == 0
    assert store.cat_file("/album/out/face.jpg") != b"mine"


def test_the_gallery_of_a_continued_run_shows_what_is_in_the_store(store, tmp_path):
    page = tmp_path / "page.html"
    assert run("fix", "memory://album/in", "-o", "memory://album/out") == 0
    store.pipe_file("/album/in/new.png", store.cat_file("/album/in/plain.png"))
    assert run("fix", "memory://album/in", "-o", "memory://album/out", "--gallery", page) == 0
    text = page.read_text()
    assert "<bdi>memory://album/in/deep/face.png</bdi>" in text
    assert "memory:/album" not in text
    assert "no image" not in text


@pytest.mark.parametrize(("source", "target"), [("in", "gone"), ("gone", "in"), ("gone", "gone"), ("disk", "in")])
def test_a_picture_that_is_gone_leaves_the_other_one_in_the_gallery(store, tmp_path, source, target):
    (tmp_path / "face.jpg").write_bytes(PHOTO.read_bytes())
    places = {name: Path(f"memory:/album/{name}/face.jpg") for name in ("in", "gone")} | {"disk": tmp_path / "face.jpg"}
    gallery = Gallery(tmp_path / "page.html")
    gallery.add_earlier(Job(places[source], places[target]))
    gallery.close()
    text = (tmp_path / "page.html").read_text()
    assert ("no image before" in text, "no image after" in text) == (source == "gone", target == "gone")
