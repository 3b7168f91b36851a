from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from lib_facefix.errors import CannotWrite
from lib_facefix.imaging.lanczos import lanczos
from lib_facefix.pictures import check_writable, read_picture, write_picture

ACROSS, DOWN, MODEL = 0xA002, 0xA003, 272
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r exif:PixelXDimension="40" title="40"/><tiff:ImageLength>30</x:xmpmeta>'


def camera(orientation=1, kind=4):
    """EXIF that names 40 x 30 px, as 16- or 32-bit numbers."""
    tags = ImageFileDirectory_v2()
    tags[MODEL], tags[0x0112] = "Camera of a test", orientation
    tags[0x0100], tags[0x0101] = 40, 30
    inner = ImageFileDirectory_v2()
    for tag, side in ((ACROSS, 40), (DOWN, 30)):
        inner.tagtype[tag] = kind
        inner[tag] = side
    tags.tagtype[0x8769] = 4
    tags[0x8769] = dict(inner)
    file = io.BytesIO()
    tags.save(file)
    return b"Exif\0\0" + file.getvalue()


def noise(*shape, dtype=np.uint8):
    return np.random.default_rng(5).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def enlarge(path, target, size, change=None, **more):
    """Write the picture enlarged; return what was written, opened."""
    picture = read_picture(path).resize(size)
    image = picture.image.copy()
    if change:
        image[:8, :8] = change
    write_picture(picture, image, target, **more)
    return Image.open(target)


def sides(opened):
    exif = opened.getexif()
    inner = exif.get_ifd(0x8769)
    return exif.get(0x0100), exif.get(0x0101), inner.get(ACROSS), inner.get(DOWN)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("kind", [3, 4], ids=["short", "long"])
def test_exif_names_the_new_size_and_keeps_the_rest(tmp_path, suffix, kind):
    Image.fromarray(noise(30, 40, 3)).save(tmp_path / f"in{suffix}", exif=camera(kind=kind))
    with enlarge(tmp_path / f"in{suffix}", tmp_path / f"out{suffix}", (80, 66)) as back:
        assert back.size == (80, 66)
        assert sides(back) == (80, 66, 80, 66)
        assert back.getexif()[MODEL] == "Camera of a test"


@pytest.mark.parametrize(("orientation", "seen"), [(1, (40, 30)), (3, (40, 30)), (6, (30, 40)), (8, (30, 40))])
def test_after_a_quarter_turn_exif_names_width_and_height_the_other_way_round(tmp_path, orientation, seen):
    Image.fromarray(noise(30, 40, 3)).save(tmp_path / "in.jpg", exif=camera(orientation))
    picture = read_picture(tmp_path / "in.jpg")
    for target, told in ((".jpg", (40, 30)), (".webp", seen)):  # a file of the same kind keeps its orientation
        write_picture(picture, 255 - picture.image, tmp_path / f"out{target}")
        with Image.open(tmp_path / f"out{target}") as back:
            assert back.size == told
            assert sides(back) == told * 2
    if orientation == 6:
        with enlarge(tmp_path / "in.jpg", tmp_path / "out.jpg", (60, 80)) as back:
            assert back.size == (80, 60)
            assert sides(back) == (80, 60) * 2


def test_a_side_too_long_for_16_bits_is_named_all_the_same(tmp_path):
    Image.fromarray(noise(1, 40, 3)).save(tmp_path / "in.jpg", exif=camera(kind=3))
    assert (
        read_picture(tmp_path / "in.jpg").resize((70_000, 1)).metadata.exif.count((70_000).to_bytes(4, "little")) == 2
    )


def test_xmp_names_the_new_size_and_only_there(tmp_path):
    Image.fromarray(noise(30, 40, 3)).save(tmp_path / "in.webp", xmp=XMP, lossless=True)
    with enlarge(tmp_path / "in.webp", tmp_path / "out.webp", (80, 60)) as back:
        assert b'exif:PixelXDimension="80" title="40"' in back.info["xmp"]
        assert b"<tiff:ImageLength>60<" in back.info["xmp"]


def test_text_profile_and_resolution_go_along(tmp_path):
    said = PngImagePlugin.PngInfo()
    said.add_text("parameters", "a portrait, Size: 40x30")
    Image.fromarray(noise(30, 40, 3)).save(tmp_path / "in.png", pnginfo=said, dpi=(300, 300), exif=camera()[6:])
    with enlarge(tmp_path / "in.png", tmp_path / "out.png", (80, 60)) as back:
        back.load()
        assert back.text["parameters"] == "a portrait, Size: 40x30"
        assert [round(dots) for dots in back.info["dpi"]] == [300, 300]
        assert sides(back)[2:] == (80, 60)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [(), (3,), (4,)], ids=["grey", "RGB", "RGBA"])
def test_sixteen_bits_are_enlarged_as_sixteen_and_the_change_is_added(tmp_path, suffix, channels):
    before = cv2.GaussianBlur(noise(30, 40, *channels, dtype=np.uint16), (0, 0), 2)
    (tmp_path / f"in{suffix}").write_bytes(cv2.imencode(suffix, before)[1].tobytes())
    enlarge(tmp_path / f"in{suffix}", tmp_path / f"out{suffix}", (80, 60), change=(90, 90, 90)).close()
    after = cv2.imread(str(tmp_path / f"out{suffix}"), cv2.IMREAD_UNCHANGED)
    assert after.dtype == np.uint16
    assert (after[10:] == lanczos(before, (80, 60))[10:]).all()
    colours = after[:8, :8] if not channels else after[:8, :8, :3]
    assert np.abs(colours.astype(int) - 90 * 257).max() <= 2 * 257


def test_grey_stays_grey_and_opacity_goes_along(tmp_path):
    alpha = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (30, 1))
    Image.merge("LA", [Image.fromarray(noise(30, 40)), Image.fromarray(alpha)]).save(tmp_path / "in.png")
    with enlarge(tmp_path / "in.png", tmp_path / "out.png", (80, 60)) as back:
        assert (back.mode, back.size) == ("LA", (80, 60))
        assert (np.asarray(back.getchannel("A")) == lanczos(alpha, (80, 60))).all()


def test_opacity_that_was_all_or_nothing_stays_so(tmp_path):
    alpha = np.zeros((30, 40), np.uint8)
    cv2.circle(alpha, (20, 15), 9, 255, -1)
    Image.fromarray(np.dstack([noise(30, 40, 3), alpha])).save(tmp_path / "in.png")
    with enlarge(tmp_path / "in.png", tmp_path / "out.gif", (80, 60)) as back:
        opaque = np.asarray(back.convert("RGBA"))[..., 3]
        assert set(np.unique(opaque)) == {0, 255}
        assert (opaque > 0).sum() == pytest.approx(4 * (alpha > 0).sum(), rel=0.03)


def test_the_same_size_is_the_same_picture_and_is_copied_byte_for_byte(tmp_path):
    Image.fromarray(noise(30, 40, 3)).save(tmp_path / "in.jpg", quality=71)
    picture = read_picture(tmp_path / "in.jpg")
    assert picture.resize((40, 30)) is picture


def test_an_enlarged_picture_is_never_the_old_file(tmp_path):
    Image.new("RGB", (40, 30), (9, 9, 9)).save(tmp_path / "in.png")
    with enlarge(tmp_path / "in.png", tmp_path / "out.png", (80, 60)) as back:
        assert back.size == (80, 60)


@pytest.mark.parametrize(("suffix", "longest"), [(".webp", 16383), (".jpg", 65500), (".gif", 65535), (".png", None)])
def test_a_size_that_a_kind_of_file_cannot_hold_is_refused_before_the_work(tmp_path, suffix, longest):
    Image.new("RGB", (4, 3)).save(tmp_path / "in.png")
    picture = read_picture(tmp_path / "in.png")
    check_writable(tmp_path / f"out{suffix}", picture, (longest or 99_999, 3))
    if longest:
        with pytest.raises(CannotWrite, match=f"holds at most {longest} px on a side, not 3x{longest + 1}. Choose .pn"):
            check_writable(tmp_path / f"out{suffix}", picture, (3, longest + 1))
