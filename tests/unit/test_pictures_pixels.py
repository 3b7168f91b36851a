from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from lib_facefix.errors import BadSetting, CannotWrite
from lib_facefix.pictures import check_writable, read_picture, write_picture

HEIGHT, WIDTH = 37, 53
SPOT = np.s_[10:20, 12:30]


def noise(*shape, dtype=np.uint8):
    return np.random.default_rng(5).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def pillow_of(mode):
    channels = {"LA": 2, "RGB": 3, "YCbCr": 3, "LAB": 3, "RGBA": 4, "CMYK": 4}.get(mode, 1)
    if mode == "1":
        return Image.fromarray(noise(HEIGHT, WIDTH)).convert("1")
    made = Image.frombytes(mode, (WIDTH, HEIGHT), noise(HEIGHT, WIDTH, channels).tobytes())
    if mode == "P":
        made.putpalette(noise(256, 3).tobytes())
    return made


def as_seen(stored, orientation):
    """What EXIF means: 6 is a picture to be turned clockwise by a quarter, and so on."""
    views = {
        1: stored,
        2: np.fliplr(stored),
        3: np.rot90(stored, 2),
        4: np.flipud(stored),
        5: stored.swapaxes(0, 1),
        6: np.rot90(stored, -1),
        7: np.rot90(stored, 2).swapaxes(0, 1),
        8: np.rot90(stored),
    }
    return views[orientation]


def painted(picture, colour=(200, 100, 50)):
    fixed = picture.image.copy()
    fixed[SPOT] = colour
    return fixed


def outside(array):
    """All but the spot that was painted."""
    mask = np.ones(array.shape[:2], bool)
    mask[SPOT] = False
    return array[mask]


def samples_in(path):
    decoded = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    return decoded if decoded.ndim == 2 else decoded[..., [2, 1, 0, 3][: decoded.shape[2]]]


def save_samples(path, samples):
    order = [2, 1, 0, 3] if samples.ndim == 3 else None
    stored = samples if order is None else np.ascontiguousarray(samples[..., order[: samples.shape[2]]])
    path.write_bytes(cv2.imencode(path.suffix, stored)[1].tobytes())


def png(colour_type, depth, rows, *chunks):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    width = rows.shape[1]
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    order = rows.astype(">u2") if depth == 16 else rows
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in order))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "YCbCr", "LAB", "CMYK"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_every_kind_of_pixels_comes_back_as_pillow_sees_it(tmp_path, mode, suffix):
    made = pillow_of(mode)
    source, target = tmp_path / "in.tif", tmp_path / f"out{suffix}"
    if mode == "YCbCr":
        made = made.crop((0, 0, 52, 36))  # Pillow writes this kind for even sizes only
    made.save(source, compression="tiff_lzw" if mode == "YCbCr" else None)
    picture = read_picture(source)
    if mode != "LAB":
        with Image.open(source) as seen:
            rounding = 1 if mode == "YCbCr" else 0
            assert np.abs(picture.image - np.asarray(seen.convert("RGB")).astype(int)).max() <= rounding

    fixed = painted(picture, (90, 90, 90))
    write_picture(picture, fixed, target)
    with Image.open(target) as back:
        assert back.mode == {"1": "L", "L": "L", "LA": "LA", "RGBA": "RGBA"}.get(mode, "RGB")
        assert np.array_equal(np.asarray(back.convert("RGB")), fixed)
        if mode in {"LA", "RGBA"}:
            assert np.array_equal(np.asarray(back.getchannel("A")), np.asarray(made.getchannel("A")))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(
    "channels", [pytest.param(1, id="grey"), pytest.param(3, id="RGB"), pytest.param(4, id="RGBA")]
)
def test_sixteen_bits_stay_where_nothing_changed_and_move_by_257_where_something_did(tmp_path, channels, suffix):
    shape = (HEIGHT, WIDTH, channels) if channels > 1 else (HEIGHT, WIDTH)
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    before = noise(*shape, dtype=np.uint16)
    save_samples(source, before)
    picture = read_picture(source)
    fixed = painted(picture, (120, 120, 120))

    write_picture(picture, fixed, target)
    after = samples_in(target)
    assert after.dtype == np.uint16
    assert np.array_equal(outside(after), outside(before))
    old, new = (a if a.ndim == 3 else a[..., None] for a in (before, after))
    colours = min(channels, 3)
    change = fixed.astype(int)[..., :colours] - picture.image[..., :colours]
    assert np.array_equal(new[..., :colours], np.clip(old[..., :colours] + 257 * change, 0, 65535))
    assert np.array_equal(new[..., colours:], old[..., colours:])


@pytest.mark.parametrize("source", [".png", ".tif"])
@pytest.mark.parametrize("target", [".png", ".tif"])
def test_sixteen_bits_go_from_one_kind_of_file_to_the_other(tmp_path, source, target):
    before = noise(HEIGHT, WIDTH, 3, dtype=np.uint16)
    save_samples(tmp_path / f"in{source}", before)
    picture = read_picture(tmp_path / f"in{source}")
    write_picture(picture, painted(picture), tmp_path / f"out{target}")
    assert np.array_equal(outside(samples_in(tmp_path / f"out{target}")), outside(before))


def test_sixteen_bit_grey_with_alpha_keeps_both(tmp_path):
    before = noise(HEIGHT, WIDTH, 2, dtype=np.uint16)
    (tmp_path / "in.png").write_bytes(png(4, 16, before))
    picture = read_picture(tmp_path / "in.png")
    assert picture.grey
    write_picture(picture, painted(picture), tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes()[24:26] == b"\x10\x04"
    after = samples_in(tmp_path / "out.png")[..., [0, 3]]
    assert np.array_equal(outside(after), outside(before))
    assert np.array_equal(after[..., 1], before[..., 1])


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I"])
def test_pillows_three_kinds_of_16_bit_grey_are_the_same_to_us(tmp_path, mode):
    before = noise(HEIGHT, WIDTH, dtype=np.uint16)
    kind = {"I;16": "<u2", "I;16B": ">u2", "I": "<i4"}[mode]
    Image.frombytes(mode, (WIDTH, HEIGHT), before.astype(kind).tobytes()).save(tmp_path / "in.tif")
    picture = read_picture(tmp_path / "in.tif")
    write_picture(picture, painted(picture), tmp_path / "out.tif")
    assert np.array_equal(outside(samples_in(tmp_path / "out.tif")), outside(before))


@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "RGB"])
def test_a_colour_declared_transparent_becomes_alpha(tmp_path, deep, channels):
    rows = noise(HEIGHT, WIDTH, channels, dtype=np.uint16 if deep else np.uint8)
    key = rows[4, 5].astype(">u2").tobytes()
    (tmp_path / "in.png").write_bytes(png({1: 0, 3: 2}[channels], 16 if deep else 8, rows, (b"tRNS", key)))
    picture = read_picture(tmp_path / "in.png")
    hidden = (rows == rows[4, 5]).all(axis=2)
    assert np.array_equal(picture.alpha == 0, hidden)

    write_picture(picture, painted(picture), tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as back:
        assert np.array_equal(np.asarray(back.convert("RGBA"))[..., 3] == 0, hidden)


@pytest.mark.parametrize("transparency", [7, bytes(range(256))], ids=["one colour", "each its own"])
def test_a_palette_becomes_colours_and_keeps_its_transparency(tmp_path, transparency):
    made = pillow_of("P")
    made.save(tmp_path / "in.png", transparency=transparency)
    with Image.open(tmp_path / "in.png") as seen:
        expected = np.asarray(seen.convert("RGBA"))
    picture = read_picture(tmp_path / "in.png")
    write_picture(picture, painted(picture), tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as back:
        after = np.asarray(back)
    assert np.array_equal(outside(after), outside(expected))
    assert np.array_equal(after[..., 3], expected[..., 3])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_every_orientation_is_read_upright_and_written_as_it_was_stored(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == ".webp" else {}
    pillow_of("RGB").save(tmp_path / f"in{suffix}", exif=exif, **options)
    pillow_of("RGB").save(tmp_path / f"plain{suffix}", **options)
    picture = read_picture(tmp_path / f"in{suffix}")
    assert np.array_equal(picture.image, as_seen(read_picture(tmp_path / f"plain{suffix}").image, orientation))
    assert picture.image.flags.c_contiguous

    for target in (".png", ".jpg", ".tif"):
        fixed = painted(picture)
        write_picture(picture, fixed, tmp_path / f"out{target}")
        with Image.open(tmp_path / f"out{target}") as back:
            if target != ".tif":  # which Pillow turns by itself
                stored = (WIDTH, HEIGHT) if target == suffix else fixed.shape[1::-1]
                assert back.getexif().get(0x0112, 1) == (orientation if target == suffix else 1)
                assert back.size == stored
            seen = ImageOps.exif_transpose(back)
            if target != ".jpg":
                assert np.array_equal(np.asarray(seen), fixed)
            assert seen.size == (fixed.shape[1], fixed.shape[0])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_every_orientation_is_right_in_16_bits_too(tmp_path, orientation, suffix):
    before = noise(HEIGHT, WIDTH, 3, dtype=np.uint16)
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "in.png").write_bytes(png(2, 16, before, (b"eXIf", exif.tobytes()[6:])))
    if suffix == ".tif":
        save_samples(tmp_path / "in.tif", before)
        data = (tmp_path / "in.tif").read_bytes()
        pages = struct.pack("<HHI", 284, 3, 1)  # replaced: the planar layout, which has a default
        turn = struct.pack("<HHIHH", 274, 3, 1, orientation, 0)
        at = data.index(pages)
        (tmp_path / "in.tif").write_bytes(data[:at] + turn + data[at + 12 :])
    picture = read_picture(tmp_path / f"in{suffix}")
    assert np.array_equal(picture.samples, as_seen(before, orientation))
    assert picture.image.shape == picture.samples.shape


def test_a_grey_picture_stays_grey_and_takes_the_brightness_of_a_change(tmp_path):
    pillow_of("L").save(tmp_path / "in.png")
    picture = read_picture(tmp_path / "in.png")
    write_picture(picture, painted(picture, (255, 0, 0)), tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as back:
        assert back.mode == "L"
        assert (np.asarray(back)[SPOT] == 76).all()
        assert np.array_equal(outside(np.asarray(back)), outside(picture.image[..., 0]))


@pytest.mark.parametrize(
    ("suffix", "options"),
    [(".jpg", {"quality": 33}), (".png", {}), (".webp", {}), (".gif", {}), (".bmp", {}), (".tif", {}), (".jp2", {})],
)
def test_a_picture_that_did_not_change_is_copied_byte_for_byte(tmp_path, suffix, options):
    pillow_of("RGB").save(tmp_path / f"in{suffix}", **options)
    picture = read_picture(tmp_path / f"in{suffix}")
    write_picture(picture, picture.image.copy(), tmp_path / f"out{suffix}", text={"parameters": "no"})
    assert (tmp_path / f"out{suffix}").read_bytes() == (tmp_path / f"in{suffix}").read_bytes()


def test_a_file_that_changed_since_it_was_read_is_not_copied(tmp_path):
    pillow_of("RGB").save(tmp_path / "in.png")
    picture = read_picture(tmp_path / "in.png")
    Image.new("RGB", (3, 3)).save(tmp_path / "in.png")
    write_picture(picture, picture.image, tmp_path / "out.png")
    assert np.array_equal(read_picture(tmp_path / "out.png").image, picture.image)


@pytest.mark.parametrize("sampling", [0, 1, 2], ids=["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_a_jpeg_keeps_its_tables_sampling_and_order(tmp_path, sampling, progressive):
    made = pillow_of("RGB").resize((9, 7)).resize((160, 128), Image.Resampling.BICUBIC)
    made.save(tmp_path / "in.jpg", quality=61, subsampling=sampling, progressive=progressive)
    picture = read_picture(tmp_path / "in.jpg")
    fixed = picture.image.copy()
    fixed[:16, :16] = 0
    write_picture(picture, fixed, tmp_path / "out.jpg")
    with Image.open(tmp_path / "in.jpg") as old, Image.open(tmp_path / "out.jpg") as new:
        assert new.quantization == old.quantization
        assert [layer[1:3] for layer in new.layer] == [layer[1:3] for layer in old.layer]
        assert bool(new.info.get("progressive")) == progressive
        far = np.abs(np.asarray(new).astype(int) - picture.image)[64:, 64:]
    assert far.mean() < 0.7, "untouched blocks are packed nearly as before"


def test_a_grey_jpeg_keeps_its_table(tmp_path):
    pillow_of("L").save(tmp_path / "in.jpg", quality=40)
    picture = read_picture(tmp_path / "in.jpg")
    write_picture(picture, painted(picture), tmp_path / "out.jpg")
    with Image.open(tmp_path / "in.jpg") as old, Image.open(tmp_path / "out.jpg") as new:
        assert new.mode == "L"
        assert new.quantization[0] == old.quantization[0]


def test_another_kind_becomes_a_jpeg_of_full_colour_resolution(tmp_path):
    pillow_of("RGB").save(tmp_path / "in.png")
    picture = read_picture(tmp_path / "in.png")
    write_picture(picture, picture.image, tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as back:
        assert {layer[1:3] for layer in back.layer} == {(1, 1)}
        assert sum(back.quantization[0]) < 500


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_stays_lossless_and_its_alpha_exact(tmp_path, lossless):
    pillow_of("RGBA").save(tmp_path / "in.webp", lossless=lossless, exact=True)
    picture = read_picture(tmp_path / "in.webp")
    assert picture.coding.lossless == lossless
    fixed = painted(picture)
    write_picture(picture, fixed, tmp_path / "out.webp")
    back = read_picture(tmp_path / "out.webp")
    assert np.array_equal(back.alpha, picture.alpha)
    assert np.array_equal(back.image, fixed) == lossless


@pytest.mark.parametrize("suffix", [".jpg", ".bmp", ".gif"])
def test_transparency_is_never_dropped_silently(tmp_path, suffix):
    pillow_of("RGBA").save(tmp_path / "in.png")
    picture = read_picture(tmp_path / "in.png")
    with pytest.raises(CannotWrite, match=r"transparency of in\.png\. Choose \.png"):
        write_picture(picture, picture.image, tmp_path / f"out{suffix}")
    assert [file.name for file in tmp_path.iterdir()] == ["in.png"]


def test_alpha_that_hides_nothing_does_not_keep_a_picture_from_being_a_jpeg(tmp_path):
    pillow_of("RGB").convert("RGBA").save(tmp_path / "in.png")
    picture = read_picture(tmp_path / "in.png")
    check_writable(tmp_path / "out.jpg", picture)
    write_picture(picture, picture.image, tmp_path / "out.jpg")
    assert read_picture(tmp_path / "out.jpg").alpha is None


def test_a_gif_keeps_what_is_cut_out_of_it(tmp_path):
    cut = pillow_of("RGB").convert("RGBA")
    cut.putalpha(Image.fromarray(np.where(noise(HEIGHT, WIDTH) > 99, 255, 0).astype(np.uint8)))
    cut.save(tmp_path / "in.png")
    picture = read_picture(tmp_path / "in.png")
    write_picture(picture, picture.image, tmp_path / "out.gif")
    assert np.array_equal(read_picture(tmp_path / "out.gif").alpha, picture.alpha)


def test_16_bits_are_not_lost_to_a_kind_that_could_have_held_them(tmp_path):
    save_samples(tmp_path / "in.png", noise(5, 5, 3, dtype=np.uint16))
    with pytest.raises(CannotWrite, match=r"16-bit.*\.png or \.tif"):
        check_writable(tmp_path / "out.jp2", read_picture(tmp_path / "in.png"))


def test_16_bits_become_the_8_of_a_jpeg_on_request(tmp_path):
    save_samples(tmp_path / "in.png", np.full((16, 16, 3), 40000, np.uint16))
    picture = read_picture(tmp_path / "in.png")
    write_picture(picture, picture.image, tmp_path / "out.jpg")
    assert np.abs(read_picture(tmp_path / "out.jpg").image.astype(int) - 156).max() <= 1


@pytest.mark.parametrize("name", ["out.xyz", "out", "out.txt", "out.j2k"])
def test_an_unknown_suffix_is_refused_before_any_work(tmp_path, name):
    with pytest.raises(BadSetting, match="Choose one of"):
        check_writable(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("result", "told"),
    [
        pytest.param(np.zeros((HEIGHT, WIDTH, 4), np.uint8), r"\(37, 53, 4\)", id="with alpha"),
        pytest.param(np.zeros((HEIGHT, WIDTH), np.uint8), r"\(37, 53\)", id="grey"),
        pytest.param(np.zeros((HEIGHT, WIDTH, 3), np.float32), "float32", id="fractions"),
    ],
)
def test_a_result_that_is_no_rgb_of_8_bits_is_refused(tmp_path, result, told):
    pillow_of("RGB").save(tmp_path / "in.png")
    with pytest.raises(CannotWrite, match=told):
        write_picture(read_picture(tmp_path / "in.png"), result, tmp_path / "out.png")
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


def test_a_result_of_another_size_is_written_with_all_else_at_that_size(tmp_path):
    pillow_of("RGBA").save(tmp_path / "in.png")
    fixed = noise(2 * HEIGHT, 2 * WIDTH, 3)
    picture = read_picture(tmp_path / "in.png")
    write_picture(picture, fixed, tmp_path / "out.png")
    written = read_picture(tmp_path / "out.png")
    assert np.array_equal(written.image, fixed)
    assert np.array_equal(written.alpha, picture.resize((2 * WIDTH, 2 * HEIGHT)).alpha)


def test_content_counts_and_not_the_suffix(tmp_path):
    pillow_of("RGB").save(tmp_path / "in.jpg", format="PNG")
    picture = read_picture(tmp_path / "in.jpg")
    assert picture.format == "PNG"
    write_picture(picture, picture.image, tmp_path / "out.jpg")
    assert (tmp_path / "out.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_the_first_picture_of_an_mpo_is_read(tmp_path):
    first, second = pillow_of("RGB"), Image.new("RGB", (WIDTH, HEIGHT))
    first.save(tmp_path / "in.mpo", save_all=True, append_images=[second])
    picture = read_picture(tmp_path / "in.mpo")
    assert picture.format == "JPEG"
    write_picture(picture, painted(picture), tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as back:
        assert back.format == "JPEG"


def test_print_colours_without_a_profile_go_pillows_way_and_end_as_srgb(tmp_path):
    pillow_of("CMYK").save(tmp_path / "in.jpg", quality=95)
    with Image.open(tmp_path / "in.jpg") as seen:
        expected = np.asarray(seen.convert("RGB"))
    picture = read_picture(tmp_path / "in.jpg")
    assert np.array_equal(picture.image, expected)
    write_picture(picture, painted(picture), tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as back:
        assert back.mode == "RGB"
        assert "sRGB" in ImageCms.getProfileDescription(io.BytesIO(back.info["icc_profile"]))


def print_profile():
    """A press whose paper is white, whose inks are the same middle grey, and only all of them are black."""
    ramp = bytes(range(256))
    grid = bytes([255, 128, 128]) + bytes([128, 128, 128]) * 14 + bytes([0, 128, 128])
    one = [65536 if place in (0, 4, 8) else 0 for place in range(9)]
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *one) + ramp * 4 + grid + ramp * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags = [(b"A2B0", table), (b"wtpt", white)]
    at, index, bodies = 128 + 4 + 12 * len(tags), b"", b""
    for name, body in tags:
        index += name + struct.pack(">II", at + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    head = bytes(4) + bytes(4) + struct.pack(">I", 0x02100000) + b"prtrCMYKLab " + bytes(12) + b"acsp"
    head = head + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    whole = head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + index + bodies
    return struct.pack(">I", len(whole)) + whole[4:]


@pytest.mark.parametrize("suffix", [".tif", ".jpg"])
def test_print_colours_go_by_the_profile_in_the_file(tmp_path, suffix):
    inks = np.zeros((16, 32, 4), np.uint8)
    inks[:, 16:, 0] = 255
    made = Image.frombytes("CMYK", (32, 16), inks.tobytes())
    made.save(tmp_path / f"in{suffix}", icc_profile=print_profile())
    picture = read_picture(tmp_path / f"in{suffix}")
    assert np.abs(picture.image[:, :14].astype(int) - 255).max() <= 2
    assert np.abs(picture.image[:, 18:].astype(int) - 119).max() <= 4, "Pillow alone would say cyan"
    write_picture(picture, 255 - picture.image, tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as back:
        assert "sRGB" in ImageCms.getProfileDescription(io.BytesIO(back.info["icc_profile"]))


def test_a_broken_profile_leaves_print_colours_to_pillow(tmp_path):
    pillow_of("CMYK").save(tmp_path / "in.tif", icc_profile=b"no profile at all" * 20)
    with Image.open(tmp_path / "in.tif") as seen:
        assert np.array_equal(read_picture(tmp_path / "in.tif").image, np.asarray(seen.convert("RGB")))


def test_16_bit_grey_whose_zero_is_white_is_seen_as_it_is_meant(tmp_path):
    before = noise(HEIGHT, WIDTH, dtype=np.uint16)
    save_samples(tmp_path / "in.tif", before)
    data = (tmp_path / "in.tif").read_bytes()
    black, white = (struct.pack("<HHIHH", 262, 3, 1, zero, 0) for zero in (1, 0))
    assert black in data
    (tmp_path / "in.tif").write_bytes(data.replace(black, white))
    assert np.array_equal(read_picture(tmp_path / "in.tif").samples[..., 0], 65535 - before)


@pytest.mark.parametrize("size", [(1, 1), (30000, 1), (1, 30000)], ids=["1x1", "wide", "tall"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_odd_sizes_work(tmp_path, size, suffix):
    Image.new("RGB", size, (1, 2, 3)).save(tmp_path / "in.png")
    picture = read_picture(tmp_path / "in.png")
    fixed = np.full_like(picture.image, 200)
    write_picture(picture, fixed, tmp_path / f"out{suffix}")
    assert np.array_equal(read_picture(tmp_path / f"out{suffix}").image, fixed)


def test_reading_and_writing_change_neither_file_nor_arrays(tmp_path):
    pillow_of("RGBA").save(tmp_path / "in.png")
    data = (tmp_path / "in.png").read_bytes()
    picture = read_picture(tmp_path / "in.png")
    fixed = painted(picture)
    kept = [array.copy() for array in (picture.image, picture.alpha, fixed)]
    write_picture(picture, fixed, tmp_path / "out.png")
    assert (tmp_path / "in.png").read_bytes() == data
    assert all(map(np.array_equal, kept, (picture.image, picture.alpha, fixed)))
