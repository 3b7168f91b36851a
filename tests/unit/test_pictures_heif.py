"""HEIC files: read with all that they say, written again, and hostile ones refused by their header."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import struct
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from heif_files import DEPTH, GAIN_MAP, Entry, box, coded, entry_of, full, grid_of, heic, ispe, photo
from peak_memory import PEAK, needs_linux
from PIL import Image

from lib_facefix.errors import BadPicture, BadSetting, CannotWrite
from lib_facefix.pictures import encode, find_pictures, format_for, media_type, read_picture
from lib_facefix.pictures.bmff import read_container
from lib_facefix.pictures.decode import orient
from lib_facefix.pictures.hevc import hevc_size

needs_heif = pytest.mark.skipif(importlib.util.find_spec("pillow_heif") is None, reason="needs pillow-heif")


def read(data, name="a.heic", **options):
    return read_picture(io.BytesIO(data), name, **options)


def fix(data, suffix="", add=9):
    """Return the file with one corner brighter, as it is read again, its bytes, and the notes."""
    picture, file = read(data), io.BytesIO()
    fixed = picture.image.copy()
    fixed[2:12, 2:12] = np.minimum(fixed[2:12, 2:12], 255 - add) + add
    notes = encode(picture, fixed, file, suffix=suffix)
    return fixed, read(file.getvalue()), file.getvalue(), notes


def error(one, other):
    assert one.shape == other.shape
    return np.abs(one.astype(float) - other).mean()


@pytest.mark.parametrize("suffix", ["", ".jpg", ".png", ".avif"])
@pytest.mark.parametrize("turn", range(1, 9))
@needs_heif
def test_a_turned_photo_is_turned_once(turn, suffix):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = turn, "Maker of a test"
    data = coded(photo(), exif=exif.tobytes())
    assert read_container(data).primary.turn == turn
    picture = read(data)
    assert picture.turn == turn
    assert error(picture.image, orient(photo(), turn)) < 3
    fixed, again, _, notes = fix(data, suffix)
    assert notes == ()
    assert again.turn == (1 if suffix else turn)
    assert error(again.image, fixed) < 3
    assert b"Maker of a test" in again.metadata.exif


@needs_heif
def test_the_orientation_in_the_exif_counts_for_nothing(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = coded(photo())  # no irot, no imir
    data = coded(photo(), exif=exif.tobytes())
    lying = data.replace(box(b"irot", b"\3"), box(b"free", b"\0"))
    assert lying != data
    assert np.array_equal(read(lying).image, read(upright).image)
    _, again, new, _ = fix(lying)
    assert again.image.shape == (48, 64, 3)
    assert b"irot" not in new


@needs_heif
def test_ten_bits_are_kept_with_the_colours_of_hdr():
    deep = np.linspace(0, 1023, 64 * 48 * 3).astype(np.uint16).reshape(48, 64, 3)
    tags = {"color_primaries": 9, "transfer_characteristics": 16, "matrix_coefficients": 9, "full_range_flag": 1}
    light = {"max_content_light_level": 1000, "max_pic_average_light_level": 200}
    data = coded(deep, quality=-1, chroma=444, content_light_level=light, **tags)
    picture = read(data)
    assert picture.coding.bits == 10
    assert picture.samples.max() == 65535
    assert np.abs(picture.samples / 65535 * 1023 - deep).max() <= 1.01
    assert picture.metadata.nclx == (9, 16)
    _, again, new, notes = fix(data)
    assert notes == ()
    assert read_container(new).bits == 10
    assert read_container(new).nclx == (9, 16, 9)
    assert again.metadata.light == {"content_light_level": light}
    assert np.abs(again.samples[14:] / 65535 * 1023 - deep[14:]).mean() < 1.5
    assert len(np.unique(again.samples)) > 700

    _, as_png, png, notes = fix(data, ".png")
    assert notes == ()
    assert b"cICP\x09\x10\x00\x01" in png
    assert np.array_equal(as_png.samples[14:], picture.samples[14:])
    _, as_avif, avif, notes = fix(data, ".avif")
    assert (notes, read_container(avif).bits, read_container(avif).nclx[:2]) == ((), 10, (9, 16))
    assert np.abs(as_avif.samples[14:] / 65535 * 1023 - deep[14:]).mean() < 2
    assert "10 bits a sample became 8" in " ".join(fix(data, ".jpg")[3])


def test_ten_bits_of_an_avif_are_kept():
    if not cv2.haveImageWriter(".avif") or not hasattr(cv2, "imencodeWithMetadata"):
        pytest.skip("this OpenCV knows no AVIF with metadata")
    deep = np.linspace(0, 1023, 64 * 48 * 3).astype(np.uint16).reshape(48, 64, 3)
    params = [cv2.IMWRITE_AVIF_DEPTH, 10, cv2.IMWRITE_AVIF_QUALITY, 100]
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker of a test"
    block = np.frombuffer(exif.tobytes()[6:], np.uint8)
    data = cv2.imencodeWithMetadata(".avif", deep[..., ::-1], [cv2.IMAGE_METADATA_EXIF], [block], params)[1].tobytes()
    picture = read(data)
    assert (picture.coding.bits, picture.turn) == (10, 6)
    assert np.abs(picture.samples / 65535 * 1023 - orient(deep, 6)).max() <= 1.01
    _, again, new, notes = fix(data)
    assert (notes, read_container(new).bits, again.turn) == ((), 10, 6)
    assert np.abs(again.samples[14:] - picture.samples[14:].astype(float)).mean() / 64 < 2
    assert b"Maker of a test" in again.metadata.exif


@needs_heif
def test_sixteen_bits_become_ten_and_it_is_said():
    file = io.BytesIO(cv2.imencode(".png", photo().astype(np.uint16) * 257)[1].tobytes())
    picture, new = read_picture(file), io.BytesIO()
    fixed = 255 - picture.image
    for suffix in (".heic", ".avif"):
        new = io.BytesIO()
        [note] = encode(picture, fixed, new, suffix=suffix)
        assert note.startswith("Its 16 bits a sample became 10")
        assert read(new.getvalue()).coding.bits == 10


@needs_heif
def test_what_a_photo_says_is_kept():
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description dc:title="Oma"/></rdf:RDF></x:xmpmeta>'
    exif = Image.Exif()
    exif[0x010F] = "Maker of a test"
    icc = _profile()
    data = coded(photo(), exif=exif.tobytes(), xmp=xmp, icc_profile=icc)
    _, again, _, notes = fix(data)
    assert notes == ()
    assert again.metadata.icc == icc
    assert again.metadata.xmp == xmp
    assert b"Maker of a test" in again.metadata.exif


def _profile():
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA"])
@needs_heif
def test_grey_and_opacity_are_read_and_opacity_is_kept(mode):
    import pillow_heif

    image, file = Image.fromarray(photo()).convert(mode), io.BytesIO()
    if mode != "L":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    pillow_heif.encode(mode, image.size, image.tobytes(), file, quality=-1)
    picture = read(file.getvalue())
    assert picture.grey == (mode == "L")  # libheif decodes grey with opacity as colours
    fixed, again, _, notes = fix(file.getvalue())
    assert (error(again.image, fixed) < 3, notes) == (True, ())
    if mode != "L":
        assert error(again.alpha, np.asarray(image)[..., -1]) < 1


HEADROOM = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- of the gain map --></x:xmpmeta>'


def iphone(*kinds, tmap=False, turn=b"\0"):
    """Return a photo of four tiles with an auxiliary image for each of `kinds`, and a thumbnail."""
    tiles = [entry_of(photo(64, 64, seed)) for seed in range(4)]
    shape = [box(b"irot", turn)] if turn != b"\0" else []
    aux = [entry_of(photo(64, 64, 9 + n)[..., 0], more=[full(b"auxC", kind), *shape]) for n, kind in enumerate(kinds)]
    entries = [grid_of((120, 100), 2, 2, shape), *tiles, *aux, entry_of(photo(32, 24))]
    ties = [(b"dimg", 1, (2, 3, 4, 5)), *((b"auxl", 6 + n, (1,)) for n in range(len(kinds)))]
    ties.append((b"thmb", len(entries), (1,)))
    if kinds:
        entries.append(Entry(b"mime", HEADROOM, []))
        ties.append((b"cdsc", len(entries), (6,)))
    if tmap:
        entries.append(Entry(b"tmap", bytes(62), [ispe(120, 100), *shape]))
        ties.append((b"dimg", len(entries), (1, 6)))
        return heic(entries, ties, groups=[(b"altr", [len(entries), 1])])
    return heic(entries, ties)


def auxiliary(data):
    """Return the auxiliary images that libheif sees, by kind."""
    import pillow_heif

    image = pillow_heif.open_heif(data)
    found = {kind: [np.asarray(image.get_aux_image(number)) for number in numbers]
             for kind, numbers in image.info["aux"].items()}  # fmt: skip
    return found | {"depth": [np.asarray(one) for one in image.info["depth_images"]]}


@needs_heif
def test_a_photo_of_tiles_is_put_together():
    picture = read(iphone())
    assert picture.image.shape == (100, 120, 3)
    assert picture.left_out == ()
    assert error(picture.image[:64, :64], photo(64, 64, 0)) < 4
    assert error(picture.image[64:, 64:], photo(64, 64, 3)[:36, :56]) < 4


@pytest.mark.parametrize("tmap", [False, True], ids=["auxiliary", "derived"])
@pytest.mark.parametrize("turn", [b"\0", b"\3"], ids=["upright", "turned"])
@needs_heif
def test_gain_map_and_depth_map_are_moved_into_the_new_file(turn, tmap):
    data = iphone(GAIN_MAP, DEPTH, tmap=tmap, turn=turn)
    fixed, again, new, notes = fix(data)
    assert notes == ()
    assert again.left_out == ()
    assert error(again.image, fixed) < 3
    before, after = auxiliary(data), auxiliary(new)
    assert list(after) == list(before)
    assert len(after[GAIN_MAP.decode().rstrip("\0")]) == 1
    for kind, images in before.items():
        for one, other in zip(images, after[kind], strict=True):
            assert np.array_equal(one, other)
    assert new.count(HEADROOM) == 1
    found = read_container(new)
    gains = [item for item in found.attached(b"auxl") if b"gainmap" in item.first(b"auxC")]
    derived = [item for item in found.items.values() if item.kind == b"tmap"]
    assert len(derived) == tmap
    for item in derived:
        assert (item.size, item.turn) == (found.primary.size, found.primary.turn)
        assert (b"dimg", item.number, (found.primary.number, gains[0].number)) in found.references
        assert full(b"altr", struct.pack(">4I", 1 << 16, 2, item.number, found.primary.number)) in new
    twice = fix(new)
    assert twice[3] == ()
    assert len(read_container(twice[2]).items) == len(found.items)


@needs_heif
def test_what_other_kinds_of_files_lose_is_said():
    notes = fix(iphone(GAIN_MAP, DEPTH), ".jpg")[3]
    assert notes == (
        "Its HDR gain map was left out.", "Further images in the file (such as a depth map) were left out."
    )  # fmt: skip
    assert fix(iphone(DEPTH), ".png")[3] == notes[1:]
    assert fix(iphone(), ".png")[3] == ()


@needs_heif
def test_the_maps_fit_a_larger_photo_too():
    picture, file = read(iphone(GAIN_MAP, tmap=True)), io.BytesIO()
    assert encode(picture, np.asarray(Image.fromarray(picture.image).resize((240, 200))), file) == ()
    found = read_container(file.getvalue())
    derived = next(item for item in found.items.values() if item.kind == b"tmap")
    assert derived.size == found.primary.size
    assert read(file.getvalue()).image.shape == (200, 240, 3)


@needs_heif
def test_opacity_and_a_gain_map_stay_beside_one_another():
    import pillow_heif

    clear = np.dstack([photo(64, 64), np.full((64, 64), 99, np.uint8)])
    file = io.BytesIO()
    pillow_heif.encode("RGBA", (64, 64), clear.tobytes(), file, quality=-1)
    picture = read(iphone(GAIN_MAP))
    with_map = replace(read(file.getvalue()).metadata, attached=picture.metadata.attached)
    ghost, new = replace(read(file.getvalue()), metadata=with_map, stream=None), io.BytesIO()
    encode(ghost, 255 - ghost.image, new)
    again = read(new.getvalue())
    assert (again.alpha == 99).all()
    assert again.metadata.attached is not None


@needs_heif
def test_other_images_of_a_burst_are_said_and_the_primary_is_read():
    entries = [entry_of(photo(64, 64, seed)) for seed in (1, 2, 3)]
    picture = read(heic(entries, primary=2))
    assert error(picture.image, photo(64, 64, 2)) < 3
    assert picture.left_out == ("Further images in the file (such as a depth map) were left out.",)


@needs_heif
def test_a_photo_whose_xmp_names_the_gain_map_too_has_no_note_on_it():
    said = b'<rdf:RDF xmlns:h="http://ns.adobe.com/hdr-gain-map/1.0/"><rdf:Description h:Version="1.0"/></rdf:RDF>'
    tiles, aux = entry_of(photo(64, 64)), entry_of(photo(64, 64)[..., 0], more=[full(b"auxC", GAIN_MAP)])
    data = heic([tiles, aux, Entry(b"mime", said, [])], [(b"auxl", 2, (1,)), (b"cdsc", 3, (1,))])
    assert read(data).left_out == ()
    assert fix(data)[3] == ()
    assert fix(data, ".png")[3] == ("Its HDR gain map was left out.",)


@needs_heif
def test_a_video_behind_the_photo_is_said():
    assert read(heic([entry_of(photo(64, 64))], beside=box(b"mpvd", bytes(90)))).left_out == (
        "Its video (motion photo) was left out.",
    )


BIG = (60000, 60000)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(lambda: heic([entry_of(photo(), size=BIG)]), "too large: 60000 x 60000", id="a huge image"),
        pytest.param(
            lambda: heic([entry_of(photo(), size=(15000, 12000))]), "GiB of memory", id="more memory than is allowed"
        ),
        pytest.param(
            lambda: heic([grid_of((64, 64), 1, 1), entry_of(photo(), size=(9000, 9000))], [(b"dimg", 1, (2,))]),
            "much larger than the image", id="a huge tile",
        ),
        pytest.param(lambda: heic([entry_of(photo(1280, 960), size=(64, 48))]), "larger than the", id="huge pixels"),
        pytest.param(
            lambda: heic(
                [grid_of((6400, 6400), 100, 100), *[entry_of(photo(64, 64))] * 2],
                [(b"dimg", 1, tuple([2] * 9999 + [3]))],
            ),
            "cannot be used|is damaged|cut off", id="ten thousand tiles",
        ),
        pytest.param(
            lambda: heic([entry_of(photo())], beside=box(b"moov", bytes(20))),
            "sequence of images", id="a sequence",
        ),
        pytest.param(lambda: heic([entry_of(photo(), size=(0, 48))]), "no size", id="no width"),
        pytest.param(lambda: heic([entry_of(photo())], primary=7), "list of images is damaged", id="no primary"),
        pytest.param(lambda: box(b"ftyp", b"heic", bytes(60)), "list of images is damaged", id="nothing in it"),
        pytest.param(lambda: heic([entry_of(photo(64, 64), size=(62, 64))]), "is damaged", id="a width a little wrong"),
    ],
)  # fmt: skip
@needs_heif
def test_a_hostile_file_is_refused_in_a_sentence(make, sentence):
    with pytest.raises(BadPicture, match=sentence) as caught:
        read(make())
    assert str(caught.value).startswith("a.heic ")


@needs_heif
def test_tiles_that_refer_to_one_another_are_refused():
    entries = [grid_of((64, 64), 1, 1), grid_of((64, 64), 1, 1)]
    with pytest.raises(BadPicture):
        read(heic(entries, [(b"dimg", 1, (2,)), (b"dimg", 2, (1,))]))


@needs_heif
def test_no_part_of_a_file_reads_as_another_image():
    data = iphone(GAIN_MAP)
    whole = read(data).image
    for length in range(0, len(data), 97):
        with contextlib.suppress(BadPicture):
            assert read(data[:length]).image.shape == whole.shape


@pytest.mark.parametrize("make", [lambda: coded(photo(), xmp=b"<x:xmpmeta/>"), lambda: iphone(GAIN_MAP, tmap=True)])
@needs_heif
def test_damaged_bytes_raise_nothing_else(make):
    data, random = bytearray(make()), np.random.default_rng(3)
    for _ in range(60):
        damaged = data.copy()
        for at in random.integers(0, min(len(data), 1500), 3):
            damaged[at] = random.integers(256)
        with contextlib.suppress(BadPicture):
            fix(bytes(damaged))


@needs_heif
def test_a_map_whose_bytes_are_not_there_is_left_out_and_it_is_said():
    data = iphone(GAIN_MAP)
    lengths = [entry_of(photo(64, 64, 9)[..., 0]).data]
    broken = data.replace(struct.pack(">I", len(lengths[0])), struct.pack(">I", len(data) + 1))
    assert broken != data
    _, _, new, notes = fix(broken)
    assert notes[0] == "Its HDR gain map was left out."
    assert GAIN_MAP not in new


@needs_heif
@needs_linux
def test_memory_for_a_large_photo_is_what_its_header_says(tmp_path):
    code = (
        "import sys; from pathlib import Path; from lib_facefix.pictures import read_picture\n"
        f"read_picture(Path(sys.argv[1])); print({PEAK})"
    )
    small, large = tmp_path / "s.heic", tmp_path / "l.heic"
    small.write_bytes(coded(photo()))
    large.write_bytes(coded(photo(3000, 2000)))
    used = [
        int(subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True).stdout)
        for path in (small, large)
    ]
    assert used[1] - used[0] < 16 * 3000 * 2000


@needs_heif
def test_the_size_of_the_pixels_is_read_from_their_header():
    for width, height in ((64, 64), (192, 128), (1024, 576)):
        assert hevc_size(read_container(coded(photo(width, height))).primary.first(b"hvcC")) == (width, height)


@needs_heif
def test_a_file_that_did_not_change_is_copied():
    data = iphone(GAIN_MAP)
    picture, file = read(data), io.BytesIO()
    assert encode(picture, picture.image, file) == ()
    assert file.getvalue() == data


def test_without_the_package_it_is_said_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    file = tmp_path / "in" / "x.heic"
    file.parent.mkdir()
    file.write_bytes(box(b"ftyp", b"heic", bytes(4)) + bytes(64))
    command = r"Install it with `pip install 'facefix\[heif\]'`"
    with pytest.raises(BadPicture, match=command):
        read_picture(file)
    with pytest.raises(BadSetting, match=command):
        format_for(tmp_path / "out.heic")
    [found] = find_pictures([str(file.parent)])
    assert "pip install 'facefix[heif]'" in found.skipped


def test_heic_has_its_media_type():
    assert media_type("HEIF") == "image/heic"


@needs_heif
def test_a_side_that_is_too_long_is_refused_before_it_is_packed():
    long = io.BytesIO(cv2.imencode(".png", np.zeros((1, 20000, 3), np.uint8))[1].tobytes())
    picture = read_picture(long)
    with pytest.raises(CannotWrite, match="at most 16384 px"):
        encode(picture, picture.image + np.uint8(1), io.BytesIO(), suffix=".heic")


def test_the_turn_of_a_file_is_the_one_that_its_properties_ask_for():
    for angle in range(4):
        for axis in (None, 0, 1):
            mirror = [box(b"imir", bytes([axis]))] if axis is not None else []
            entry = [ispe(3, 2), box(b"irot", bytes([angle])), *mirror]
            turn = read_container(heic([Entry(b"hvc1", b"", entry)])).primary.turn
            pixels = np.rot90(np.arange(6).reshape(2, 3), angle)
            wanted = {None: pixels, 0: pixels[::-1], 1: pixels[:, ::-1]}[axis]
            assert np.array_equal(orient(np.arange(6).reshape(2, 3), turn), wanted)
