from __future__ import annotations

import pytest

from lib_facefix.errors import BadPicture
from lib_facefix.pictures import Found, find_pictures, name_apart, read_picture


@pytest.fixture
def album(tmp_path, monkeypatch):
    for name in (
        "b.jpg",
        "a.PNG",
        "note.txt",
        ".hidden.png",
        "in/c.webp",
        "in/deep er/größe 猫.tif",
        ".cache/d.png",
        "odd[1].png",
        "raw.xyz",
    ):
        file = tmp_path / "album" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path / "album"


def relatives(*inputs):
    return [found.relative.as_posix() for found in find_pictures([str(one) for one in inputs])]


def test_a_folder_gives_its_pictures_in_order_with_all_below_and_none_hidden(album):
    assert relatives(album) == ["a.PNG", "b.jpg", "in/c.webp", "in/deep er/größe 猫.tif", "odd[1].png"]
    assert all((album / found.relative).samefile(found.path) for found in find_pictures([str(album)]))


def test_a_file_named_in_full_is_taken_whatever_its_suffix(album):
    assert relatives(album / "raw.xyz", album / ".hidden.png", album / "odd[1].png") == [
        "raw.xyz",
        ".hidden.png",
        "odd[1].png",
    ]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("album/*.jpg", ["b.jpg"], id="one folder"),
        pytest.param("album/[ab].*", ["a.PNG", "b.jpg"], id="letters"),
        pytest.param("album/*/*.webp", ["in/c.webp"], id="folders"),
        pytest.param("album/in/**/*", ["c.webp", "deep er/größe 猫.tif"], id="all below"),
        pytest.param("album/i*", ["in/c.webp", "in/deep er/größe 猫.tif"], id="a folder itself"),
        pytest.param("album/*.[Pp]*", ["a.PNG", "odd[1].png"], id="no text, none hidden"),
    ],
)
@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
def test_a_pattern_is_expanded_where_the_shell_did_not(album, pattern, expected, absolute):
    assert relatives(album.parent / pattern if absolute else pattern) == expected


def test_a_pattern_in_the_present_folder_works(album, monkeypatch):
    monkeypatch.chdir(album)
    assert relatives("*.jpg") == ["b.jpg"]
    assert relatives(".")[:2] == ["a.PNG", "b.jpg"]


def test_a_file_named_twice_comes_once(album):
    (album / "link.jpg").symlink_to(album / "b.jpg")
    assert relatives(album / "b.jpg", "album/b.jpg", "album/*.jpg", album / "link.jpg") == ["b.jpg"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("album/*.bmp", "no image matches this pattern", id="pattern"),
        pytest.param("album/empty", "no images in this folder", id="empty folder"),
        pytest.param("", "no such file", id="nothing"),
    ],
)
def test_an_input_that_gives_nothing_is_said(album, text, sentence):
    (album / "empty").mkdir()
    with pytest.raises(BadPicture, match=sentence):
        find_pictures(["album/b.jpg", text])


@pytest.mark.parametrize("text", ["nowhere.jpg", "~nobody_of_that_name/a.jpg", "x" * 300])
def test_a_missing_file_is_left_for_reading_to_complain_of(album, text):
    [there, missing] = find_pictures(["album/b.jpg", text])
    assert there.path.name == "b.jpg"
    with pytest.raises(BadPicture):
        read_picture(missing.path)


def test_two_files_of_one_name_get_names_of_their_own(tmp_path):
    for folder, name in [("1", "a.jpg"), ("2", "a.jpg"), ("3", "A.JPG"), ("4", "a-2.jpg")]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).touch()
    named = relatives(*(tmp_path / folder for folder in "1234"))
    assert named == ["a.jpg", "a-2.jpg", "A-3.JPG", "a-2-2.jpg"]


def test_one_suffix_for_all_makes_more_names_equal():
    found = [Found(name, name) for name in ("x/a.jpg", "x/a.png", "a.png")]
    assert [one.relative.as_posix() for one in name_apart(found, ".png")] == ["x/a.png", "x/a-2.png", "a.png"]
