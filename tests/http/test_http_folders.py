"""Folders of the server: which may be named, and what is made of one."""

import os
import shutil
import sys

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sending import ended, packed, where

from lib_facefix.server.routes import PREFIX

SUFFIXES = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder that may be named, beside one that may not."""
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "cache"))
    for name in ("allowed/old", "secret"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path / "allowed"


def begin(client, folder, output, **more):
    return client.post(f"{PREFIX}/batch", json={"folder": str(folder), "output": str(output), **more})


def test_fifty_files_of_which_three_are_broken(serve, place, photo):
    pictures = [Image.fromarray(np.full((48, 64, 3), shade, np.uint8)) for shade in range(46)]
    names = []
    for number, picture in enumerate(pictures):
        suffix = list(SUFFIXES)[number % len(SUFFIXES)]
        path = place / "old" / f"sub{number % 3}" / f"{number:02}{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(packed(picture, SUFFIXES[suffix]))
        names.append(path)
    names.append(place / "old" / "face.jpg")
    names[-1].write_bytes(photo)
    broken = [place / "old" / "sub1" / name for name in ("bad.jpg", "empty.png", "text.webp")]
    for path, content in zip(broken, (photo[:3000], b"", b"hello"), strict=True):
        path.write_bytes(content)
    client = serve(folders=[place])

    begun = begin(client, place / "old", place / "new", settings={"method": "restore"})
    state = ended(client, begun.json()["job"])

    records = state["result"]["pictures"]
    assert (state["state"], state["done"], len(records)) == ("done", 50, 50)
    assert [one["path"] for one in records] == sorted(map(str, names + broken))
    assert {one["path"] for one in records if one["error"]} == set(map(str, broken))
    made = sorted(path.relative_to(place / "new") for path in (place / "new").rglob("*.*") if path.name != ".facefix")
    assert made == sorted(path.relative_to(place / "old") for path in names)
    assert (place / "new" / "face.jpg").read_bytes() != photo
    plain = names[0]
    assert (place / "new" / plain.relative_to(place / "old")).read_bytes() == plain.read_bytes()


@pytest.mark.parametrize("folder", ["{place}/../secret", "../secret", "/", "{place}/link", "{place}/old/../../secret"])
def test_no_other_folder_may_be_named_to_read_or_to_write(serve, place, folder):
    (place / "link").symlink_to(place.parent / "secret", target_is_directory=True)
    client, named = serve(folders=[place]), folder.format(place=place)
    assert where(begin(client, named, "new"), 403).keys() == {"body.folder"}
    assert where(begin(client, "old", named), 403).keys() == {"body.output"}
    assert where(begin(serve(), place, place), 403)


def test_a_folder_is_meant_in_the_first_that_may_be_named(serve, place, photo):
    (place / "old" / "a.jpg").write_bytes(photo)
    client = serve(folders=[place])
    assert ended(client, begin(client, "old", "new").json()["job"])["state"] == "done"
    assert (place / "new" / "a.jpg").is_file()


def test_results_may_not_go_where_the_pictures_are(serve, place):
    assert where(begin(serve(folders=[place]), "old", "old"), 403).keys() == {"body.output"}
    assert where(begin(serve(folders=[place]), "none", "new"), 403).keys() == {"body.folder"}


def test_pictures_of_a_folder_are_planned_by_what_they_say_they_were_made_from(serve, engine, place, monkeypatch):
    said = PngInfo()
    said.add_text("parameters", "a girl\nSteps: 4, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 64x48")
    picture = Image.new("RGB", (64, 48))
    (place / "old" / "drawn.png").write_bytes(packed(picture, "PNG", pnginfo=said))
    (place / "old" / "photo.png").write_bytes(packed(picture, "PNG"))
    plan, origins = type(engine).plan, []

    def watched(self, *args, origin=None, **more):
        origins.append(origin and (origin.prompt, origin.seed))
        return plan(self, *args, origin=origin, **more)

    monkeypatch.setattr(type(engine), "plan", watched)
    client = serve(folders=[place])
    assert ended(client, begin(client, "old", "new").json()["job"])["state"] == "done"
    assert origins == [("a girl", 5), None]


def test_links_that_lead_away_are_named_and_not_followed(serve, place, photo):
    away = place.parent / "secret" / "a.jpg"
    away.write_bytes(photo)
    (place / "old" / "link.jpg").symlink_to(away)
    (place / "old" / "b.jpg").write_bytes(photo)
    (place / "new").mkdir()
    other = away.with_name("other.jpg")
    other.write_bytes(b"precious")
    (place / "new" / "b.jpg").symlink_to(other)
    client = serve(folders=[place])
    state = ended(client, begin(client, "old", "new", settings={"method": "restore"}).json()["job"])
    assert ["leads outside" in (one["error"] or "") for one in state["result"]["pictures"]] == [True, True]
    assert (away.read_bytes(), other.read_bytes()) == (photo, b"precious")


def test_a_folder_without_pictures_is_told(serve, place):
    client = serve(folders=[place])
    state = ended(client, begin(client, "old", "new").json()["job"])
    assert state["state"] == "failed"
    assert "no images in this folder" in state["error"]


def test_a_folder_that_vanishes_is_told(serve, place, engine, monkeypatch):
    monkeypatch.setattr(type(engine), "prepare", lambda *_: shutil.rmtree(place / "old"))  # after the request came
    client = serve(folders=[place])
    state = ended(client, begin(client, "old", "new").json()["job"])
    assert (state["state"], state["error"]) == (
        "failed",
        f"{place / 'old'}: this folder no longer exists. Check the name.",
    )


@pytest.fixture
def taken(place, photo):
    """A folder of two photos, and a file of somebody else with the path of one result."""
    (place / "old" / "a.jpg").write_bytes(photo)
    (place / "old" / "b.jpg").write_bytes(photo)
    (place / "new").mkdir()
    (place / "new" / "b.jpg").write_bytes(b"precious")
    return place / "new" / "b.jpg"


def test_a_file_of_somebody_else_is_replaced_on_request_alone(serve, place, photo, taken):
    client = serve(folders=[place])
    state = ended(client, begin(client, "old", "new").json()["job"])
    assert state["state"] == "failed"
    assert f"{taken} would be overwritten" in state["error"]
    assert state["error"].endswith('or send "overwrite": true')
    assert (taken.read_bytes(), sorted(path.name for path in (place / "new").iterdir())) == (b"precious", ["b.jpg"])

    state = ended(client, begin(client, "old", "new", overwrite=True).json()["job"])
    assert (state["state"], [one["error"] for one in state["result"]["pictures"]]) == ("done", [None, None])
    with Image.open(taken) as made:
        assert made.size == (256, 256)

    restored = {"settings": {"method": "restore"}}
    assert ended(client, begin(client, "old", "new", **restored).json()["job"])["state"] == "done"  # our own results
    assert taken.read_bytes() != photo

    taken.write_bytes(b"changed since")
    assert ended(client, begin(client, "old", "new").json()["job"])["state"] == "failed"
    assert taken.read_bytes() == b"changed since"


def test_overwriting_is_true_or_false(serve, place):
    assert where(begin(serve(folders=[place]), "old", "new", overwrite="yes"), 422).keys() == {"body.overwrite"}


def test_a_bad_detector_is_told_once_and_not_of_every_picture(serve, place, taken):
    (place / "net.onnx").write_bytes(b"no net")
    detector = f"{place / 'net.onnx'}"
    client = serve(folders=[place])
    state = ended(client, begin(client, "old", "out", settings={"detector": detector}).json()["job"])
    assert (state["state"], state["result"]) == ("failed", None)
    assert "net.onnx" in state["error"]
    assert not (place / "out").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are Unicode there")
def test_files_whose_names_are_not_unicode_are_told(serve, place, photo):
    (place / "old" / os.fsdecode(b"caf\xe9.jpg")).write_bytes(photo)
    client = serve(folders=[place])
    state = ended(client, begin(client, place / "old", place / "new").json()["job"])
    assert state["state"] == "done"
    assert [os.fsencode(one["path"]) for one in state["result"]["pictures"]] == [
        bytes(place / "old" / "caf") + b"\xe9.jpg"
    ]
    assert (place / "new" / os.fsdecode(b"caf\xe9.jpg")).is_file()
