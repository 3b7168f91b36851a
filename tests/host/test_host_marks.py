"""The mark in files that the host saves, whatever their kind, beside the host's own record and over the same pixels."""

import base64
import json

import driving
import numpy as np
import pictures
import pytest
from driving import QUICK
from PIL import Image

from lib_facefix.pictures import read_picture
from lib_facefix.pictures.xmp_packet import decode_packet, find_value
from lib_facefix.provenance import read_edits
from lib_facefix.provenance.mark import IPTC, SOURCE, TYPES

PICTURE = pictures.sheet(2)
MILD = {**QUICK, "visibility": 0.2}
"""A pass after which the faces are found again."""
KINDS = ["png", "jpg", "webp"]
BOTH = [("re-diffuse", "", 1), ("re-diffuse", "", 2)]
RESTORED = [("restore", "lite", 1), ("restore", "lite", 2)]


def info_in(webui, path):
    """Return the infotext that the host's own PNG info reads from a file: that of the extras tab, if it has one."""
    read = webui.post("/sdapi/v1/png-info", {"image": base64.b64encode(path.read_bytes()).decode()})
    return read["items"].get("postprocessing") or read["info"]


def edits_in(path):
    return [(edit.action, edit.model, edit.face) for edit in read_edits(read_picture(path).metadata)]


def source_in(path):
    found = find_value(decode_packet(read_picture(path).metadata.xmp)[0], IPTC, SOURCE)
    return found.text.removeprefix(TYPES)


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_mark_joins_the_hosts_record_in_every_kind_of_file(host, kind):
    with host.options(samples_format=kind, jpeg_quality=80, webp_lossless=False):
        made = host.txt2img(QUICK, draws=[PICTURE], save_images=True)
    [path] = host.saved_paths(f".{kind}")
    assert edits_in(path) == BOTH
    assert source_in(path) == "compositeWithTrainedAlgorithmicMedia"
    assert info_in(host.webui, path) == made.infotexts[0]
    boxes = [list(edit.box) for edit in read_edits(read_picture(path).metadata)]
    assert boxes == [face["box"] for face in made.faces().values()]


@pytest.mark.parametrize("kind", KINDS)
def test_no_pixel_and_no_byte_else_is_changed(host, kind):
    """The file without a mark is the file with it, less the XMP."""
    with host.options(samples_format=kind):
        host.txt2img(QUICK, draws=[PICTURE], save_images=True)
        [marked] = host.saved_paths(f".{kind}")
        host.forget()
        with host.options(facefix_mark=False):
            host.txt2img(QUICK, draws=[PICTURE], save_images=True)
        [plain] = host.saved_paths(f".{kind}")
    assert (pixels(marked) == pixels(plain)).all()
    assert read_picture(plain).metadata.xmp == b""
    assert info_in(host.webui, marked) == info_in(host.webui, plain)
    xmp = read_picture(marked).metadata.xmp
    assert 0 < marked.stat().st_size - plain.stat().st_size - len(xmp) < 60


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_in_which_no_face_changed_gets_no_mark(host, kind):
    with host.options(samples_format=kind):
        host.txt2img({"method": "leave"}, draws=[PICTURE], save_images=True)
        host.txt2img(draws=[PICTURE], save_images=True)
    saved = host.saved_paths(f".{kind}")
    assert [read_picture(path).metadata.xmp for path in saved] == [b"", b""]


@pytest.mark.parametrize("kind", ["jpg", "webp"])
def test_without_the_hosts_record_the_file_stays_as_the_host_wrote_it(host, kind):
    with host.options(samples_format=kind, enable_pnginfo=False):
        host.txt2img(QUICK, draws=[PICTURE], save_images=True)
    [path] = host.saved_paths(f".{kind}")
    assert read_picture(path).metadata.xmp == b""
    assert info_in(host.webui, path) == ""


def test_a_file_with_a_number_is_marked_and_the_older_one_of_that_name_left(host):
    names = {"save_images_add_number": False, "samples_filename_pattern": "[seed]", "samples_format": "jpg"}
    with host.options(**names, save_images_replace_action="Add number suffix"):
        host.txt2img(draws=[PICTURE], save_images=True)
        [older] = host.saved_paths(".jpg")
        before = older.read_bytes()
        host.txt2img(QUICK, draws=[PICTURE], save_images=True)
        host.txt2img({"method": "restore"}, draws=[PICTURE], save_images=True)
    first, second = host.saved_paths(".jpg")[1:]
    assert older.read_bytes() == before
    assert (edits_in(first), edits_in(second)) == (BOTH, RESTORED)


def test_the_smaller_jpeg_that_the_host_saves_beside_a_large_file_is_marked(host):
    with host.options(export_for_4chan=True, target_side_length=200):
        host.txt2img(QUICK, draws=[PICTURE], save_images=True)
    [large], [small] = host.saved_paths(".png"), host.saved_paths(".jpg")
    assert pixels(small).shape[1] == 200
    assert edits_in(small) == edits_in(large) == BOTH


RESTORE = {"enable": True, "passes": json.dumps([{"method": "restore", "guard": "back-off"}])}
"""Values of our controls in the extras tab."""


def developed(host, tmp_path, picture, kind, **scripts):
    """Run the extras tab over one file; return the result's path."""
    given, out = tmp_path / "in", tmp_path / f"out-{kind}"
    given.mkdir(exist_ok=True)
    for old in given.iterdir():
        old.unlink()
    target = given / picture.name
    target.write_bytes(picture.read_bytes())
    with host.options(samples_format=kind, use_original_name_batch=False):
        host.webui.post("/darkroom", {"input": str(given), "output": str(out), "scripts": scripts})
    [made] = [path for path in out.iterdir() if path.suffix == f".{kind}"]
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_the_extras_tab_marks_every_kind_of_file(host, tmp_path, kind):
    PICTURE.save(tmp_path / "plain.png")
    made = developed(host, tmp_path, tmp_path / "plain.png", kind, FaceFix=RESTORE)
    assert edits_in(made) == RESTORED
    assert source_in(made) == "algorithmicallyEnhanced"
    assert driving.record(info_in(host.webui, made))["passes"] == [{"method": "restore", "guard": "back-off"}]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("was", KINDS)
def test_the_extras_tab_adds_to_the_mark_of_its_input(host, tmp_path, was, kind):
    with host.options(samples_format=was):
        host.txt2img(MILD, draws=[PICTURE], save_images=True)
    [first] = host.saved_paths(f".{was}")
    made = developed(host, tmp_path, first, kind, FaceFix=RESTORE)
    assert edits_in(made) == [*BOTH, *RESTORED]
    assert source_in(made) == "compositeWithTrainedAlgorithmicMedia"
    assert "the image was fixed before" in info_in(host.webui, made)


@pytest.mark.parametrize("was", KINDS)
def test_what_is_only_enlarged_in_the_extras_tab_keeps_its_mark(host, tmp_path, was):
    if "Lanczos" not in {one["name"] for one in host.webui.get("/sdapi/v1/upscalers")}:
        pytest.skip("this WebUI enlarges only with a model file")
    with host.options(samples_format=was):
        host.txt2img(MILD, draws=[PICTURE], save_images=True)
    [first] = host.saved_paths(f".{was}")
    made = developed(host, tmp_path, first, "jpg", Upscale={"upscale_by": 2, "upscaler_1_name": "Lanczos"})
    assert pixels(made).shape == (2 * PICTURE.height, 2 * PICTURE.width, 3)
    assert edits_in(made) == BOTH
