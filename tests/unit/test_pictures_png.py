"""What packs the pixels of a PNG changes neither the pixels nor anything that the file says."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lib_facefix.pictures import Metadata
from lib_facefix.pictures.png import chunks_of, write_png

LEVELS = range(10)


def shades(channels, dtype=np.uint8, height=33, width=47):
    """Smooth to the left and noisy to the right, every channel unlike the others."""
    full = np.iinfo(dtype).max
    rows, columns = np.mgrid[:height, :width]
    smooth = (rows[..., None] + columns[..., None] * (1 + np.arange(channels))) * (full // 300)
    noise = np.random.default_rng(3).integers(0, full + 1, smooth.shape)
    return np.where(columns[..., None] < width // 2, smooth, noise).astype(dtype)


def written(pixels, metadata=None, text=None, **how):
    file = io.BytesIO()
    write_png(pixels, metadata or Metadata(), text or {}, file, **how)
    return file.getvalue()


def samples_of(data):
    """Return the samples of a PNG file by PNG's own rules, and its colour type."""
    width, height, depth, colour_type = struct.unpack(">IIBB", data[16:26])
    step = {0: 1, 2: 3, 4: 2, 6: 4}[colour_type] * depth // 8
    packed, at = b"", 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size]) == (zlib.crc32(kind + body),)
        packed += body if kind == b"IDAT" else b""
        at += size + 12
    plain, above = [], np.zeros(width * step + step, np.int64)
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, -1)
    for number, *row in rows.tolist():
        now = np.zeros_like(above)
        for place, value in enumerate(row, step):
            left, up, corner = int(now[place - step]), int(above[place]), int(above[place - step])
            guess = left + up - corner
            near = min((left, up, corner), key=lambda one: abs(guess - one))
            now[place] = (value + (0, left, up, (left + up) // 2, near)[number]) & 255
        plain.append(now[step:])
        above = now
    values = np.array(plain, np.uint8)
    return values.view(f">u{depth // 8}").reshape(height, width, -1), colour_type


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("channels", "colour_type"), [(1, 0), (2, 4), (3, 2), (4, 6)])
@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_the_samples_are_those_that_were_given(channels, colour_type, dtype, level):
    pixels = shades(channels, dtype)
    samples, kind = samples_of(written(pixels, level=level))
    assert kind == colour_type
    assert np.array_equal(samples, pixels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pillow_reads_it_alike(channels):
    pixels = shades(channels)
    with Image.open(io.BytesIO(written(pixels))) as back:
        assert back.mode == ["L", "LA", "RGB", "RGBA"][channels - 1]
        assert np.array_equal(np.asarray(back).reshape(pixels.shape), pixels)


def test_a_view_of_an_array_is_written_as_it_is_seen():
    pixels = shades(3)[::-1, ::2]
    assert np.array_equal(samples_of(written(pixels))[0], pixels)


def test_levels_are_those_of_zlib_from_stored_to_smallest():
    pixels = shades(3, height=100, width=300)[:, :150]
    sizes = [len(written(pixels, level=level)) for level in LEVELS]
    assert sizes[0] > pixels.size > sizes[1] > sizes[9]
    assert sizes[1:].index(sizes[9]) >= 2


def test_what_the_file_says_is_the_same_at_any_level_and_comes_before_the_pixels():
    said = Metadata(
        chunks=((b"gAMA", bytes(4)), (b"tEXt", b"a\0b"), (b"tEXt", b"parameters\0old"), (b"pHYs", bytes(9)))
    )
    expected = [b"IHDR", b"gAMA", b"tEXt", b"pHYs", b"tEXt", b"IEND"]
    seen = []
    for level in LEVELS:
        data = written(shades(3), said, {"parameters": "new"}, level=level)
        seen.append(list(chunks_of(io.BytesIO(data))))
        assert [kind for kind, _ in seen[-1]] == expected
        assert data.index(b"IDAT") > data.index(b"parameters\0new")
    assert all(chunks == seen[0] for chunks in seen)
