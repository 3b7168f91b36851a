from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest
from PIL import Image, ImageFile

from lib_facefix.errors import BadPicture, FaceFixError
from lib_facefix.pictures import MAX_PIXELS, read, read_picture, write_picture

SUFFIXES = [".png", ".jpg", ".tif", ".webp", ".gif", ".bmp", ".jp2"]


def save(path, size=(60, 50), **options):
    pixels = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


def complaint(path):
    with pytest.raises(BadPicture) as caught:
        read_picture(path)
    text = str(caught.value)
    assert str(path) in text
    assert text.endswith(".")
    return text


def test_an_empty_file_is_called_empty(tmp_path):
    (tmp_path / "in.png").touch()
    assert "is empty" in complaint(tmp_path / "in.png")


def test_text_is_called_no_picture(tmp_path):
    (tmp_path / "in.jpg").write_text("Dear diary")
    assert "its format is not supported" in complaint(tmp_path / "in.jpg")


def test_a_folder_is_called_a_folder(tmp_path):
    assert "is a folder" in complaint(tmp_path)


def test_a_missing_file_is_called_missing(tmp_path):
    assert "does not exist" in complaint(tmp_path / "in.jpg")


def test_a_name_no_system_takes_is_a_sentence_too(tmp_path):
    assert "cannot be opened" in complaint(tmp_path / ("x" * 300 + ".png"))


def test_a_file_behind_a_file_is_a_sentence_too(tmp_path):
    save(tmp_path / "in.png")
    assert "cannot be opened" in complaint(tmp_path / "in.png" / "more.png")


def test_a_file_that_may_not_be_read_is_a_sentence_too(tmp_path, monkeypatch):
    path = save(tmp_path / "in.png")

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", denied)
    assert "permission denied" in complaint(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_cut_off_is_refused(tmp_path, suffix):
    whole = save(tmp_path / f"in{suffix}").read_bytes()
    (tmp_path / f"in{suffix}").write_bytes(whole[: len(whole) * 2 // 3])
    assert "Copy or download it again" in complaint(tmp_path / f"in{suffix}")


def test_a_jpeg_that_is_cut_off_is_called_so(tmp_path):
    whole = save(tmp_path / "in.jpg").read_bytes()
    (tmp_path / "in.jpg").write_bytes(whole[:-200])
    assert "is cut off" in complaint(tmp_path / "in.jpg")
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # Pillow's remarks on damaged files
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_damaged_file_is_read_or_refused_but_never_anything_else(tmp_path, suffix):
    whole = save(tmp_path / f"in{suffix}", size=(20, 16)).read_bytes()
    random = np.random.default_rng(11)
    for _ in range(60):
        data = bytearray(whole)
        for place in random.integers(0, min(len(data), 400), 3):
            data[place] = random.integers(0, 256)
        (tmp_path / f"in{suffix}").write_bytes(data)
        try:
            picture = read_picture(tmp_path / f"in{suffix}")
            if picture.image.size < 100_000:
                write_picture(picture, 255 - picture.image, tmp_path / "out.tif")
        except FaceFixError:
            pass


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_an_animation_is_refused_rather_than_flattened(tmp_path, suffix):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / f"in{suffix}", save_all=True, append_images=frames[1:])
    assert "it is an animation of 3 frames" in complaint(tmp_path / f"in{suffix}")


def test_a_file_of_several_pages_is_refused(tmp_path):
    pages = [Image.new("RGB", (9, 9)), Image.new("RGB", (9, 9))]
    pages[0].save(tmp_path / "in.tif", save_all=True, append_images=pages[1:])
    assert "2 pages" in complaint(tmp_path / "in.tif")


def test_floating_point_samples_are_refused(tmp_path):
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "in.tif")
    assert "floating-point" in complaint(tmp_path / "in.tif")


def test_samples_of_more_than_16_bits_are_refused(tmp_path):
    Image.fromarray(np.full((4, 4), 70000, np.int32)).save(tmp_path / "in.tif")
    assert "more than 16 bits" in complaint(tmp_path / "in.tif")


def bmp_of(width, height):
    header = b"BM" + bytes(8) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little")
    size = width.to_bytes(4, "little") + height.to_bytes(4, "little")
    return header + size + b"\1\0\x18\0" + bytes(24)


def test_a_picture_beyond_the_limit_is_refused_by_its_header(tmp_path):
    (tmp_path / "in.bmp").write_bytes(bmp_of(50_001, 5_000))
    assert "too large: 50001 x 5000 pixels" in complaint(tmp_path / "in.bmp")


def test_a_picture_at_the_limit_is_not_called_too_large(tmp_path):
    (tmp_path / "in.bmp").write_bytes(bmp_of(MAX_PIXELS // 5_000, 5_000))
    assert "too large" not in complaint(tmp_path / "in.bmp")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pillows_own_limit_neither_warns_nor_blocks(tmp_path, monkeypatch, suffix):
    path = save(tmp_path / f"in{suffix}")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_picture(path).image.shape == (50, 60, 3)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_pillows_own_limit_is_back_when_the_last_of_many_readers_is_done(tmp_path, monkeypatch):
    path = save(tmp_path / "in.tif")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 12345)
    readers = [threading.Thread(target=lambda: [read_picture(path) for _ in range(20)]) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert Image.MAX_IMAGE_PIXELS == 12345


def test_pillows_own_limit_is_back_after_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 12345)
    with read._raised_limit():
        with pytest.raises(ZeroDivisionError), read._raised_limit():
            raise ZeroDivisionError
        assert Image.MAX_IMAGE_PIXELS == MAX_PIXELS
    assert Image.MAX_IMAGE_PIXELS == 12345
