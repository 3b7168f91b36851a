"""Files of several pages: every page is fixed, and what each one says and shows otherwise stays."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from peak_memory import PEAK, needs_linux
from PIL import Image
from test_cli import engine, photo, run  # noqa: F401 fixtures

from lib_facefix import FaceFix, fix_file
from lib_facefix.errors import BadPicture, CannotWrite, SeveralPages
from lib_facefix.pictures import format_for, open_pages, read_picture, write_pages

tifffile = pytest.importorskip("tifffile")


def smooth(seed, size=(320, 150)):
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return np.asarray(Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC))


def album(path, byteorder="<", *, big=False, previews=False):
    """Write colours in JPEG, black and white, 16-bit grey, and colours in tiles."""
    grey = smooth(3)[..., 0]
    with tifffile.TiffWriter(path, byteorder=byteorder, bigtiff=big) as file:
        more = {"metadata": None, "resolution": (300, 300), "software": "scanner"}
        file.write(smooth(1), photometric="rgb", compression="jpeg", description="one", **more)
        if previews:
            file.write(smooth(1, (32, 15)), photometric="rgb", subfiletype=1, **more)
        file.write(grey > 99, photometric="minisblack", description="two", **more)
        file.write(grey.astype(np.uint16) * 257, photometric="minisblack", description="three", **more)
        file.write(smooth(4), photometric="rgb", compression="deflate", tile=(32, 32), description="four", **more)
    return path


def change(path, target, places, value=64):
    """Brighten a corner of the pages at `places`, counted from 0. Return whether anything changed, and the notes."""
    with open_pages(path) as pages, target.open("w+b") as file:
        kind = format_for(target)
        pages.check_target(kind, target.name)

        def fixed():
            for place, picture in enumerate(pages.read()):
                new = picture.image.copy()
                new[:9, :9] ^= np.uint8(value)
                yield picture, new if place in places else None

        return write_pages(pages, fixed(), kind, file)


def shown(path):
    """Return what each frame shows as (H, W, 4), and for how many milliseconds."""
    with Image.open(path) as image:
        frames, times = [], []
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            frames.append(np.asarray(image.convert("RGBA")))
            times.append(image.info.get("duration"))
        return frames, times, image.info.get("loop")


def test_the_pages_of_a_tiff_are_read_one_by_one(tmp_path):
    with open_pages(album(tmp_path / "a.tif", previews=True)) as pages:
        assert (pages.count, pages.format) == (4, "TIFF")
        read = list(pages.read())
    assert np.abs(read[0].image.astype(int) - smooth(1)).mean() < 4
    assert set(np.unique(read[1].image)) == {0, 255}
    assert np.array_equal(read[2].samples[..., 0], smooth(3)[..., 0].astype(np.uint16) * 257)
    assert np.array_equal(read[3].image, smooth(4))


def test_a_page_that_did_not_change_is_moved_with_every_byte_and_tag(tmp_path):
    old, new = album(tmp_path / "a.tif"), tmp_path / "b.tif"
    assert change(old, new, {2}) == (True, [])
    with tifffile.TiffFile(old) as before, tifffile.TiffFile(new) as after:
        assert len(after.pages) == 4
        for place, (one, other) in enumerate(zip(before.pages, after.pages, strict=True)):
            assert other.description == one.description
            assert other.software == "scanner"
            assert other.tags["XResolution"].value == one.tags["XResolution"].value
            changed = np.argwhere(one.asarray() != other.asarray())
            assert len(changed) == 0 if place != 2 else (changed.max(0) == (8, 8)).all()
            if place != 2:
                moved = {"StripOffsets", "TileOffsets", "StripByteCounts", "TileByteCounts"}
                names = [tag.name for tag in one.tags if tag.name not in moved]
                assert {name: one.tags[name].value for name in names} == {
                    name: other.tags[name].value for name in names
                }
                parts = [[file.filehandle.seek(at) and file.filehandle.read(size)
                          for at, size in zip(page.dataoffsets, page.databytecounts, strict=True)]
                         for file, page in ((before, one), (after, other))]  # fmt: skip
                assert parts[0] == parts[1]
        assert after.pages[2].subfiletype == 2
        assert after.pages[2].asarray().dtype == np.uint16
    with Image.open(new) as opened:  # other readers find them all
        assert opened.n_frames == 4


@pytest.mark.parametrize(("order", "big"), [("<", True), (">", False), (">", True)])
def test_pages_of_other_tiffs_keep_their_pixels(tmp_path, order, big):
    old, new = album(tmp_path / "a.tif", order, big=big), tmp_path / "b.tif"
    assert change(old, new, {3})[0]
    assert new.read_bytes()[:4] == b"II*\0"
    with open_pages(old) as before, open_pages(new) as after:
        for place, (one, other) in enumerate(zip(before.read(), after.read(), strict=True)):
            far = np.s_[9:] if place == 3 else np.s_[:]
            assert np.array_equal(one.image[far], other.image[far])
            assert (other.image[0, 0] != one.image[0, 0]).any() == (place == 3)


def test_previews_between_the_pages_are_left_out_and_it_is_said(tmp_path):
    old = album(tmp_path / "a.tif", previews=True)
    changed, notes = change(old, tmp_path / "b.tif", {0})
    assert (changed, notes) == (True, ["Preview or mask pages were left out: they show the old image."])
    with open_pages(tmp_path / "b.tif") as pages:
        assert pages.count == 4


def test_a_file_of_which_no_page_changed_is_a_copy(tmp_path):
    for name in ("a.tif", "a.gif", "a.webp", "a.png"):
        old = album(tmp_path / name) if name == "a.tif" else animation(tmp_path / name)
        new = tmp_path / f"new-{name}"
        assert change(old, new, set()) == (False, [])
        assert new.read_bytes() == old.read_bytes()


TIMES = [100, 50, 70, 120]


def animation(path, *, clear=False, loop=3, **options):
    """Write four frames; in clear ones, a disc moves over nothing."""
    frames = []
    for place in range(4):
        frame = Image.fromarray(smooth(place + 1, (64, 48)))
        if clear:
            opacity = np.zeros((48, 64), np.uint8)
            opacity[10:30, 8 * place : 8 * place + 20] = 255
            frame.putalpha(Image.fromarray(opacity))
        frames.append(frame)
    kind = {".gif": {"disposal": 2 if clear else 0}, ".webp": {"lossless": True}}.get(path.suffix, {})
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=TIMES, loop=loop, **{**kind, **options}
    )  # fmt: skip
    return path


@pytest.mark.parametrize("clear", [False, True], ids=["opaque", "transparent"])
@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_every_frame_shows_what_it_showed_for_as_long_as_before(tmp_path, suffix, clear):
    old, new = animation(tmp_path / f"a{suffix}", clear=clear), tmp_path / f"b{suffix}"
    changed, notes = change(old, new, {1, 2})
    assert changed
    assert ("256 colours" in " ".join(notes)) == (suffix == ".gif")
    (before, times, loop), (after, *told) = shown(old), shown(new)
    assert told == [times, loop]
    assert [round(time) for time in times] == TIMES
    assert loop == 3
    for place, (one, other) in enumerate(zip(before, after, strict=True)):
        assert np.array_equal(one[..., 3], other[..., 3])
        visible = one[..., 3] > 0
        differs = (one[..., :3] != other[..., :3]).any(axis=2) & visible
        assert not differs[9:].any()
        assert not differs[:, 9:].any()
        corner = visible[:9, :9].any() and place in (1, 2)
        assert differs.any() == corner


@pytest.mark.parametrize("source", [".gif", ".webp", ".png"])
@pytest.mark.parametrize("target", [".gif", ".webp", ".png"])
def test_an_animation_can_become_one_of_another_kind(tmp_path, source, target):
    old, new = animation(tmp_path / f"a{source}", loop=0), tmp_path / f"b{target}"
    assert change(old, new, {0, 1, 2, 3})[0]
    (before, *_), (after, *told) = shown(old), shown(new)
    assert [[round(time) for time in told[0]], told[1]] == [TIMES, 0]
    for one, other in zip(before, after, strict=True):
        assert np.abs(one.astype(int) - other)[9:].mean() < (8 if target == ".gif" else 1)


def test_a_gif_that_is_played_once_is_played_once(tmp_path):
    frames = [Image.fromarray(smooth(place, (64, 48))) for place in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=40)
    change(tmp_path / "a.gif", tmp_path / "b.gif", {1})
    assert b"NETSCAPE" not in (tmp_path / "b.gif").read_bytes()
    change(tmp_path / "a.gif", tmp_path / "b.webp", {1})
    assert shown(tmp_path / "b.webp")[2] == 1


def test_the_still_image_of_an_animation_stays_apart(tmp_path):
    frames = [Image.fromarray(smooth(place, (64, 48))) for place in range(3)]
    frames[0].save(
        tmp_path / "a.png", save_all=True, append_images=frames[1:], default_image=True, duration=[40, 60], loop=2
    )
    change(tmp_path / "a.png", tmp_path / "b.png", {0, 2})
    with Image.open(tmp_path / "a.png") as old, Image.open(tmp_path / "b.png") as new:
        assert new.default_image == old.default_image is True
        assert new.n_frames == old.n_frames == 3
        for place, time in ((1, 40), (2, 60)):
            new.seek(place)
            assert new.info["duration"] == time
    _, notes = change(tmp_path / "a.png", tmp_path / "b.webp", {0, 2})
    assert "The still image beside the animation was left out." in notes
    assert [round(time) for time in shown(tmp_path / "b.webp")[1]] == [40, 60]


def test_what_an_animation_says_is_kept(tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Maker of a test"
    for suffix in (".webp", ".png"):
        old = animation(tmp_path / f"a{suffix}", exif=exif.tobytes(), icc_profile=_profile())
        change(old, tmp_path / f"b{suffix}", {0})
        with Image.open(tmp_path / f"b{suffix}") as new:
            assert new.getexif()[0x010F] == "Maker of a test"
            assert new.info["icc_profile"] == _profile()


def _profile():
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    ("name", "target", "sentence"),
    [
        ("a.tif", "b.jpg", "JPEG cannot hold 4 pages. Choose .tif."),
        ("a.tif", "b.gif", "GIF cannot hold 4 pages. Choose .tif."),
        ("a.gif", "b.jpg", "JPEG cannot hold 4 frames. Choose .webp, .png, or .gif."),
        ("a.webp", "b.tif", "TIFF cannot hold 4 frames. Choose .webp, .png, or .gif."),
    ],
)
def test_a_kind_that_cannot_hold_the_pages_is_refused(tmp_path, name, target, sentence):
    old = album(tmp_path / name) if name == "a.tif" else animation(tmp_path / name)
    with pytest.raises(CannotWrite, match=sentence):
        change(old, tmp_path / target, {0})


def test_an_animation_that_needs_too_much_memory_is_refused_by_its_header(tmp_path):
    blank = Image.new("P", (6000, 6000))
    blank.save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("P", (6000, 6000), n) for n in range(1, 8)])
    with (
        pytest.raises(BadPicture, match=r"8 frames of 6000 x 6000 pixels need 3\.2 GiB"),
        open_pages(tmp_path / "a.gif"),
    ):
        pass


def test_where_one_image_is_read_several_are_refused_with_what_can_be_done(tmp_path):
    for path in (album(tmp_path / "a.tif"), animation(tmp_path / "a.gif")):
        with pytest.raises(SeveralPages, match=r"(4 pages|4 frames)\. `facefix fix` and fix_file\(\) fix all"):
            read_picture(path)


def test_a_file_that_is_cut_off_names_the_page(tmp_path):
    data = album(tmp_path / "a.tif").read_bytes()
    with open_pages(tmp_path / "a.tif") as pages:
        at = pages.pages[2].numbers(273)[0]
    broken = bytearray(data)
    broken[4:8] = data[4:8]
    file = io.BytesIO(data)
    with open_pages(file, "a.tif") as pages:
        file.seek(at)
        file.truncate()
        with pytest.raises(BadPicture, match=r"a\.tif, page [123], "):
            list(pages.read())


@pytest.mark.parametrize("name", ["a.tif", "a.gif", "a.webp", "a.png"])
def test_damaged_bytes_raise_nothing_but_a_sentence(tmp_path, name):
    path = album(tmp_path / name) if name == "a.tif" else animation(tmp_path / name)
    data, random = path.read_bytes(), np.random.default_rng(5)
    for _ in range(60):
        damaged = bytearray(data)
        for at in random.integers(0, len(data), 4):
            damaged[at] = random.integers(256)
        with contextlib.suppress(BadPicture), open_pages(io.BytesIO(damaged), "x") as pages:
            for _ in pages.read():
                pass


@needs_linux
def test_memory_for_many_pages_is_that_of_one(tmp_path):
    code = """
import sys
from pathlib import Path
from lib_facefix.pictures import format_for, open_pages, write_pages
source, target = map(Path, sys.argv[1:])
with open_pages(source) as pages, target.open("w+b") as file:
    write_pages(pages, ((page, 255 - page.image) for page in pages.read()), format_for(target), file)
print(PEAK)
""".replace("PEAK", PEAK)
    used = []
    for count in (1, 2, 12):
        path = tmp_path / f"{count}.tif"
        with tifffile.TiffWriter(path) as file:
            for seed in range(max(2, count)):
                file.write(smooth(seed, (2000, 1500)), photometric="rgb", metadata=None)
        done = subprocess.run([sys.executable, "-c", code, path, tmp_path / "new.tif"], capture_output=True, check=True)
        used.append(int(done.stdout))
    assert used[2] - used[1] < 2 * 2000 * 1500 * 3


# Through the command line and the library


@pytest.fixture
def scan(tmp_path):
    """A TIFF of four pages; on three of them, two faces are found."""
    (tmp_path / "in").mkdir(exist_ok=True)
    return album(tmp_path / "in" / "a.tif")


def test_every_page_is_fixed_and_reported(scan, tmp_path, capsys):
    assert run("fix", scan, "-o", tmp_path / "b.tif", "--report", tmp_path / "r.json", "--compare", tmp_path / "s.png",
               "--face", "2:fidelity=0.25", "--no-match-colour", "--guard", "off", "--grain", "0") == 1  # fmt: skip
    [record] = json.loads((tmp_path / "r.json").read_text())["pictures"]
    places = [(face["page"], face["number"], face["outcome"]) for face in record["faces"]]
    assert places == [
        (page, number, outcome) for page in (1, 2, 3, 4) for number, outcome in ((1, "fixed"), (2, "failed"))
    ]
    assert [page["size"] for page in record["pages"]] == [[320, 150]] * 4
    told = capsys.readouterr().out
    assert "8 faces on 4 pages: 4 fixed, 4 failed" in told
    assert "page 3, face 2 failed: this face will not hold still" in told
    with open_pages(tmp_path / "b.tif") as pages:
        read = list(pages.read())
    for page in (read[0], read[3]):
        assert page.image[60, 60].astype(int) == pytest.approx((255, 0, 255), abs=2)
    assert (tmp_path / "s.png").is_file()

    before = (tmp_path / "b.tif").read_bytes()
    assert run("fix", tmp_path / "b.tif", "--in-place", "--report", tmp_path / "r.json") == 0
    assert (tmp_path / "b.tif").read_bytes() == before
    assert run("fix", tmp_path / "b.tif", "--in-place", "--again") == 0
    assert (tmp_path / "b.tif").read_bytes() != before


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_every_frame_of_an_animation_is_fixed(tmp_path, suffix, capsys):
    frames = [Image.fromarray(smooth(place)) for place in range(3)]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:], duration=TIMES[:3], loop=0)
    assert run("fix", tmp_path / f"a{suffix}", "--no-match-colour", "--guard", "off", "--grain", "0") == 0
    result = tmp_path / f"a.fixed{suffix}"
    frames, times, loop = shown(result)
    assert ([round(time) for time in times], loop) == (TIMES[:3], 0)
    assert all(np.abs(frame[60, 60, :3].astype(int) - (255, 0, 255)).max() < 30 for frame in frames)
    capsys.readouterr()
    if suffix != ".gif":
        assert run("fix", result, "-o", tmp_path / f"c{suffix}") == 0
        assert (tmp_path / f"c{suffix}").read_bytes() == result.read_bytes()
        run("provenance", "show", tmp_path / f"a{suffix}")


def test_a_dry_run_lists_every_page(scan, capsys):
    before = scan.read_bytes()
    assert run("fix", scan, "--dry-run") == 0
    told = capsys.readouterr().out
    assert "a.tif: 4 pages" in told
    assert "page 4: 2 faces" in told
    assert scan.read_bytes() == before


@pytest.mark.parametrize("command", ["plan", "detect"])
def test_other_commands_refuse_several_pages_in_a_sentence(scan, command, capsys):
    assert run(command, scan) == 1
    assert "it holds 4 pages. `facefix fix` and fix_file() fix all of them" in capsys.readouterr().err


def test_several_pages_are_not_signed(scan, tmp_path, capsys):
    from test_provenance_signing import write_identity

    pytest.importorskip("c2pa")
    certificate, key = write_identity(tmp_path)
    assert run("fix", scan, "-o", tmp_path / "b.tif", "--sign", certificate, "--sign-key", key) == 1
    assert "cannot be signed; remove --sign" in capsys.readouterr().err
    assert not (tmp_path / "b.tif").exists()


def test_the_library_fixes_every_page_in_place(scan):
    record = fix_file(FaceFix(), scan, scan)
    assert len(record["pages"]) == 4
    assert len(record["faces"]) == 8


def test_several_pages_can_be_enlarged(scan, tmp_path):
    assert run("fix", scan, "-o", tmp_path / "b.tif", "--upscale", "2", "--upscaler", "lanczos") == 0
    with open_pages(tmp_path / "b.tif") as pages:
        assert [page.image.shape for page in pages.read()] == [(300, 640, 3)] * 4


def test_several_pages_pass_through_the_streams(scan, tmp_path):
    command = [sys.executable, "-m", "lib_facefix", "fix", "-", "--method", "leave"]
    for more in ([], ["-o", tmp_path / "b.tif"]):
        done = subprocess.run([*command, *more], input=scan.read_bytes(), capture_output=True, check=True)
        made = (tmp_path / "b.tif").read_bytes() if more else done.stdout
        assert made == scan.read_bytes()
        assert b"4 pages" in done.stderr + done.stdout
