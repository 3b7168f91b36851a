"""Files of every layout, made by other programs: read equal to what their writer was given, or refused."""

from __future__ import annotations

import io
import itertools
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from lib_facefix.errors import BadPicture
from lib_facefix.pictures import read_picture

tifffile = pytest.importorskip("tifffile")
HEIGHT, WIDTH = 37, 53
TILE = (16, 32)
COMPRESSIONS = [None, "deflate", "lzw", "packbits", "zstd", "lzma"]
CHANNELS = {"minisblack": 1, "miniswhite": 1, "rgb": 3, "rgba": 4, "separated": 4, "palette": 1}


def noise(*shape, dtype=np.uint8, top=None):
    return np.random.default_rng(7).integers(0, top or np.iinfo(dtype).max + 1, shape, dtype=dtype)


def read(data, name="a file"):
    return read_picture(io.BytesIO(data), name)


def as_told(picture, deep):
    """Return the colours and the opacity, as (H, W, 1..4), in the depth of the file."""
    colours = picture.samples if deep else picture.image[..., :1] if picture.grey else picture.image
    return colours if picture.alpha is None else np.dstack([colours, picture.alpha])


def layouts():
    kinds = itertools.product("<>", ["minisblack", "miniswhite", "rgb", "rgba"], [8, 16], COMPRESSIONS, [1, 2])
    for order, colours, bits, compression, planar in kinds:
        tiled = (planar + bits // 8 + (order == ">")) % 2 == 0
        if planar == 2 and CHANNELS[colours] == 1:
            continue  # one channel has no planes
        yield order, colours, bits, compression, planar, tiled, False
        if compression not in (None, "packbits"):  # tifffile writes no predictor with these
            yield order, colours, bits, compression, planar, tiled, True


def tiff_of(order, colours, bits, compression, planar, tiled, predictor, **more):
    """Return samples (H, W, channels), and a TIFF file of them by tifffile."""
    channels = CHANNELS[colours]
    samples = noise(HEIGHT, WIDTH, channels, dtype=np.dtype(f"u{bits // 8}"))
    separate = planar == 2 and channels > 1
    options = {"photometric": colours.removesuffix("a") if colours == "rgba" else colours, **more}
    if channels > 1:
        options["planarconfig"] = "separate" if separate else "contig"
    if colours == "rgba":
        options["extrasamples"] = ["unassalpha"]
    options |= {"tile": TILE} if tiled else {"rowsperstrip": 10}
    stored = np.ascontiguousarray(samples.transpose(2, 0, 1)) if separate else samples
    file = io.BytesIO()
    tifffile.imwrite(
        file, stored if channels > 1 else samples[..., 0], byteorder=order, compression=compression,
        predictor=predictor, metadata=None, **options,
    )  # fmt: skip
    return samples, file.getvalue()


@pytest.mark.parametrize("layout", list(layouts()), ids=lambda layout: "-".join(map(str, layout)))
def test_a_tiff_is_read_as_it_was_written(layout):
    _, colours, bits, *_ = layout
    samples, data = tiff_of(*layout)
    picture = read(data)
    if colours == "miniswhite":
        samples = np.iinfo(samples.dtype).max - samples
    assert np.array_equal(as_told(picture, bits == 16), samples)
    assert picture.left_out == ()


@pytest.mark.parametrize("big", [False, True], ids=["classic", "BigTIFF"])
@pytest.mark.parametrize("order", "<>")
def test_a_bigtiff_is_read_too(big, order):
    samples, data = tiff_of(order, "rgb", 16, "deflate", 2, True, True, bigtiff=big)
    assert np.array_equal(read(data).samples, samples)


@pytest.mark.parametrize(("planar", "colours"), [(1, "minisblack"), (1, "rgb"), (2, "rgb")])
@pytest.mark.parametrize("tiled", [False, True], ids=["strips", "tiles"])
def test_a_tiff_of_jpeg_blocks_is_read_as_its_writer_decodes_it(planar, colours, tiled):
    tile = {"tile": (16, 32)} if tiled else {"rowsperstrip": 16}
    samples = np.ascontiguousarray(np.broadcast_to(np.arange(WIDTH, dtype=np.uint8)[:, None] * 4, (HEIGHT, WIDTH, 3)))
    stored = samples if planar == 1 else np.ascontiguousarray(samples.transpose(2, 0, 1))
    file = io.BytesIO()
    options = {"photometric": colours} | (
        {"planarconfig": ["", "contig", "separate"][planar]} if colours == "rgb" else {}
    )
    tifffile.imwrite(
        file, stored if colours == "rgb" else samples[..., 0], compression="jpeg", metadata=None, **options, **tile
    )
    assert np.abs(read(file.getvalue()).image.astype(int) - samples).max() <= 6


PILLOWS = [None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd", "lzma"]
PILLOWS_KINDS = [*itertools.product(["1", "L", "P", "RGB", "RGBA", "CMYK", "LA", "I;16"], PILLOWS)]


@pytest.mark.parametrize(("mode", "compression"), [*PILLOWS_KINDS, ("1", "group3"), ("1", "group4")])
def test_pillows_tiffs_are_read_as_pillow_means_them(mode, compression):
    channels = {"RGB": 3, "RGBA": 4, "CMYK": 4, "LA": 2, "I;16": 2}.get(mode, 1)
    made = Image.frombytes("L" if mode == "1" else mode, (WIDTH, HEIGHT), noise(HEIGHT, WIDTH, channels).tobytes())
    if mode == "P":
        made.putpalette(noise(256, 3).tobytes())
    if mode == "1":
        made = made.convert("1")
    file = io.BytesIO()
    made.save(file, "TIFF", compression=compression)
    picture = read(file.getvalue())
    if mode == "I;16":
        assert np.array_equal(picture.samples[..., 0], np.asarray(made))
    else:
        assert np.array_equal(picture.image, np.asarray(made.convert("RGB")))
        if mode in ("RGBA", "LA"):
            assert np.array_equal(picture.alpha, np.asarray(made.getchannel("A")))


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("white_is_0", [False, True])
def test_samples_of_few_bits_fill_the_range(bits, white_is_0):
    levels = noise(HEIGHT, WIDTH, top=1 << bits)
    packed = np.unpackbits(levels[..., None], axis=2)[..., 8 - bits :].reshape(HEIGHT, -1)
    data = plain_tiff(np.packbits(packed, axis=1).tobytes(), {258: bits, 262: 0 if white_is_0 else 1})
    step = 255 // ((1 << bits) - 1)
    assert np.array_equal(read(data).image[..., 0], 255 - levels * step if white_is_0 else levels * step)


def plain_tiff(body, tags):
    """Return a little-endian TIFF of one uncompressed strip."""
    said = {256: WIDTH, 257: HEIGHT, 258: 8, 259: 1, 262: 1, 273: 0, 277: 1, 278: HEIGHT, 279: len(body)} | tags
    said[273] = 8 + 2 + 12 * len(said) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(said.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(said)) + entries + bytes(4) + body


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_opencvs_files_are_read_as_written(bits, channels, suffix):
    samples = noise(HEIGHT, WIDTH, channels, dtype=np.dtype(f"u{bits // 8}"))
    order = [2, 1, 0, 3][:channels] if channels > 1 else [0]
    data = cv2.imencode(suffix, np.ascontiguousarray(samples[..., order]))[1].tobytes()
    assert np.array_equal(as_told(read(data), bits == 16), samples)


ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
PNG_KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8)]
PNG_KINDS += [(4, 8), (4, 16), (6, 8), (6, 16)]


def png_of(samples, colour_type, depth, interlaced, palette):
    """Return a PNG of (H, W, channels), whose rows are filtered in all five ways."""

    def rows(part):
        if not part.size:
            return b""
        if depth < 8:
            bits = np.unpackbits(part.astype(np.uint8), axis=2)[..., 8 - depth :].reshape(len(part), -1)
            plain = np.packbits(bits, axis=1)
        else:
            plain = np.ascontiguousarray(part.astype(f">u{depth // 8}")).view(np.uint8).reshape(len(part), -1)
        step = max(1, samples.shape[2] * depth // 8)
        before, out = np.zeros_like(plain[0]), b""
        for number, row in enumerate(plain):
            left = np.concatenate([np.zeros(step, np.uint8), row])[: len(row)]
            corner = np.concatenate([np.zeros(step, np.uint8), before])[: len(row)]
            a, b, c = (part.astype(int) for part in (left, before, corner))
            distance = [abs(b - c), abs(a - c), abs(a + b - 2 * c)]
            nearest = np.where((distance[0] <= distance[1]) & (distance[0] <= distance[2]), a, 0)
            nearest = np.where(
                (distance[0] > distance[1]) | (distance[0] > distance[2]),
                np.where(distance[1] <= distance[2], b, c),
                nearest,
            )
            guess = [0, a, b, (a + b) // 2, nearest][number % 5]
            out += bytes([number % 5]) + (row - guess).astype(np.uint8).tobytes()
            before = row
        return out

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    passes = [samples[y::down, x::across] for y, x, down, across in ADAM7] if interlaced else [samples]
    header = struct.pack(">IIBBBBB", samples.shape[1], len(samples), depth, colour_type, 0, 0, interlaced)
    parts = [(b"IHDR", header), *([(b"PLTE", palette.tobytes())] if colour_type == 3 else [])]
    parts += [(b"IDAT", zlib.compress(b"".join(map(rows, passes)))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize("interlaced", [0, 1])
@pytest.mark.parametrize(("colour_type", "depth"), PNG_KINDS)
def test_a_png_of_every_kind_is_read_as_it_was_written(colour_type, depth, interlaced):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    samples = noise(HEIGHT, WIDTH, channels, dtype=np.uint16, top=1 << depth)
    palette = noise(1 << min(depth, 8), 3)
    picture = read(png_of(samples, colour_type, depth, interlaced, palette))
    if colour_type == 3:
        assert np.array_equal(picture.image, palette[samples[..., 0]])
    else:
        step = 255 // ((1 << depth) - 1) if depth < 8 else 1
        assert np.array_equal(as_told(picture, depth == 16), samples * step)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("sampling", [0, 1, 2])
def test_a_jpeg_is_read_as_two_decoders_see_it(mode, progressive, sampling):
    smooth = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH))[..., None] * np.array([1, 2, 1, 0]) + [9, 20, 90, 0]
    channels = len(mode) if mode != "L" else 1
    made = Image.frombytes(mode, (WIDTH, HEIGHT), smooth[..., :channels].astype(np.uint8).tobytes())
    file = io.BytesIO()
    made.save(file, "JPEG", quality=95, progressive=progressive, subsampling=sampling)
    picture = read(file.getvalue())
    assert np.abs(picture.image.astype(int) - np.asarray(made.convert("RGB"))).max() <= 12
    if mode != "CMYK":
        other = cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        assert np.abs(picture.image.astype(int) - other).max() <= 4


def refused(**options):
    file = io.BytesIO()
    data = options.pop("data")
    tifffile.imwrite(file, data, metadata=None, **options)
    with pytest.raises(BadPicture) as caught:
        read(file.getvalue())
    assert "damaged" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_floating_point_numbers_are_refused_for_what_they_are(dtype, planar):
    shape = (HEIGHT, WIDTH, 3) if planar == "contig" else (3, HEIGHT, WIDTH)
    assert "floating-point" in refused(data=np.ones(shape, dtype), photometric="rgb", planarconfig=planar)


@pytest.mark.parametrize("dtype", ["i1", "i2", "c8"])
def test_signed_and_complex_numbers_are_refused(dtype):
    assert "Save it with 8 or 16 bits" in refused(data=np.ones((HEIGHT, WIDTH), dtype), photometric="minisblack")


def test_a_stack_of_channels_is_no_grey_picture():
    data = noise(HEIGHT, WIDTH, 5)
    assert "5 channels" in refused(data=data, photometric="minisblack", planarconfig="contig")


@pytest.mark.parametrize("compression", ["webp", "jpeg2000", "lerc"])
def test_a_compression_that_we_do_not_know_is_refused_by_name(compression):
    assert "compression" in refused(data=noise(HEIGHT, WIDTH, 3), photometric="rgb", compression=compression)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("bits", [8, 16])
def test_an_infrared_channel_is_left_out_and_this_is_said(planar, bits):
    samples = noise(HEIGHT, WIDTH, 4, dtype=np.dtype(f"u{bits // 8}"))
    stored = samples if planar == "contig" else np.ascontiguousarray(samples.transpose(2, 0, 1))
    file = io.BytesIO()
    tifffile.imwrite(file, stored, photometric="rgb", planarconfig=planar, extrasamples=["unspecified"], metadata=None)
    picture = read(file.getvalue())
    assert np.array_equal(as_told(picture, bits == 16), samples[..., :3])
    assert "infrared" in " ".join(picture.left_out)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_print_colours_of_16_bits_become_8_and_this_is_said(planar):
    samples = noise(HEIGHT, WIDTH, 4) // 2
    deep = samples.astype(np.uint16) * 257
    file = io.BytesIO()
    stored = deep if planar == "contig" else np.ascontiguousarray(deep.transpose(2, 0, 1))
    tifffile.imwrite(file, stored, photometric="separated", planarconfig=planar, metadata=None)
    picture = read(file.getvalue())
    expected = np.asarray(Image.frombytes("CMYK", (WIDTH, HEIGHT), samples.tobytes()).convert("RGB"))
    assert np.array_equal(picture.image, expected)
    assert "CMYK" in " ".join(picture.left_out)


@pytest.mark.parametrize("premultiplied", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
def test_grey_with_alpha_is_read(bits, premultiplied):
    samples = noise(HEIGHT, WIDTH, 2, dtype=np.dtype(f"u{bits // 8}"))
    file = io.BytesIO()
    kind = "assocalpha" if premultiplied else "unassalpha"
    options = {"photometric": "minisblack", "planarconfig": "contig", "extrasamples": [kind], "metadata": None}
    if premultiplied:
        samples[..., 0] = samples[..., 1]  # white everywhere
    tifffile.imwrite(file, samples, **options)
    if premultiplied and bits == 16:
        with pytest.raises(BadPicture, match="multiplied"):
            read(file.getvalue())
        return
    picture = read(file.getvalue())
    assert np.array_equal(picture.alpha, samples[..., 1])
    if premultiplied:
        assert (picture.image[picture.alpha > 0] == 255).all()
    else:
        assert np.array_equal(as_told(picture, bits == 16), samples)


@pytest.mark.parametrize("first", [False, True])
def test_a_preview_page_is_passed_over_and_this_is_said(first):
    samples, file = noise(HEIGHT, WIDTH, 3), io.BytesIO()
    small = {"data": samples[::4, ::4].copy(), "photometric": "rgb", "subfiletype": 1, "metadata": None}
    with tifffile.TiffWriter(file) as writer:
        if first:
            writer.write(**small)
        writer.write(samples, photometric="rgb", metadata=None)
        if not first:
            writer.write(**small)
    picture = read(file.getvalue())
    assert np.array_equal(picture.image, samples)
    assert "Preview" in " ".join(picture.left_out)


@pytest.mark.parametrize("cut", [10, 300, 3000])
def test_a_tiff_that_is_cut_off_is_refused(cut):
    _, data = tiff_of("<", "rgb", 16, None, 2, False, False)
    with pytest.raises(BadPicture, match="cut off"):
        read(data[:-cut])


def jpeg_frame(kind, bits):
    frame = struct.pack(">BHHB", bits, HEIGHT, WIDTH, 1) + b"\1\x11\0"
    return (
        b"\xff\xd8\xff"
        + bytes([kind])
        + struct.pack(">H", len(frame) + 2)
        + frame
        + b"\xff\xda\0\x08\1\1\0\0\x3f\0"
        + b"a" * 99
    )


@pytest.mark.parametrize(("kind", "bits", "told"), [(0xC1, 12, "12 bits"), (0xC3, 8, "lossless"), (0xF7, 8, "JPEG-LS")])
def test_a_rare_jpeg_is_named_and_not_called_damaged(kind, bits, told):
    with pytest.raises(BadPicture, match=told) as caught:
        read(jpeg_frame(kind, bits))
    assert "damaged" not in str(caught.value)


def test_a_bmp_of_a_rare_kind_is_not_called_damaged():
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, "BMP")
    data = bytearray(file.getvalue())
    data[30] = 6  # compression
    with pytest.raises(BadPicture, match="has an unsupported format") as caught:
        read(bytes(data))
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("bits", [1, 8])
def test_reversed_bits_are_put_right(bits):
    samples = noise(HEIGHT, WIDTH if bits == 8 else 56)
    plain = samples if bits == 8 else np.packbits(samples > 99, axis=1)
    turned = np.packbits(np.unpackbits(plain[..., None], axis=2)[..., ::-1], axis=2)[..., 0]
    data = plain_tiff(turned.tobytes(), {256: samples.shape[1], 258: bits, 266: 2})
    assert np.array_equal(read(data).image[..., 0], samples if bits == 8 else (samples > 99) * 255)


def test_a_stack_whose_pages_have_no_directory_is_refused():
    stack = noise(6, HEIGHT, WIDTH)
    for more in ({"volumetric": True, "tile": (4, 16, 16)}, {"imagej": True}, {"truncate": True}):
        file = io.BytesIO()
        tifffile.imwrite(file, stack, photometric="minisblack", **more)
        with pytest.raises(BadPicture, match=r"[Ss]ave each"):
            read(file.getvalue())


def test_a_sparse_tiff_is_refused_for_what_it_is():
    with pytest.raises(BadPicture, match="sparse"):
        read(plain_tiff(b"", {279: 0}))


def test_a_file_of_previews_alone_is_refused():
    with pytest.raises(BadPicture, match="no image in full size"):
        read(plain_tiff(noise(HEIGHT, WIDTH).tobytes(), {254: 1}))
