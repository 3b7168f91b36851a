"""Ultra HDR photos: the gain map stays, still fits, and is found by readers of other makers."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image
from PIL.MpoImagePlugin import MpoImageFile

from lib_facefix.pictures import encode, read_picture
from lib_facefix.pictures.xmp_packet import decode_packet, find_value

HDRGM = "http://ns.adobe.com/hdr-gain-map/1.0/"
CONTAINER = "http://ns.google.com/photos/1.0/container/"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
ISO = b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0"


def smooth(size=(240, 160), seed=1):
    noise = np.random.default_rng(seed).integers(40, 200, (5, 6, 3), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def packed(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95, subsampling=0, **options)
    return file.getvalue()


def segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def packet(attributes, inside=b""):
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="kept" '
        + attributes + b">" + inside + b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )  # fmt: skip


def gain_map(size=(60, 40), *, apple=False):
    plain = packed(smooth(size, 2).convert("L"))
    space = b"http://ns.apple.com/HDRGainMap/1.0/" if apple else HDRGM.encode()
    said = packet(b'xmlns:g="' + space + b'" g:Version="1.0" g:GainMapMax="2.5"')
    return plain[:2] + segment(0xE1, XMP + said) + plain[2:]


def ultra_hdr(the_map=None, *, video=b"", **options):
    """Return a photo as phones make it, by Android's description."""
    the_map = gain_map() if the_map is None else the_map
    items = [(b"Primary", b"image/jpeg", 0), (b"GainMap", b"image/jpeg", len(the_map))]
    items += [(b"MotionPhoto", b"video/mp4", len(video))] if video else []
    listed = b"".join(
        b'<rdf:li rdf:parseType="Resource"><c:Item i:Semantic="%s" i:Mime="%s" i:Length="%d"/></rdf:li>' % item
        for item in items
    )
    spaces = f'xmlns:hdrgm="{HDRGM}" hdrgm:Version="1.0" xmlns:c="{CONTAINER}" xmlns:i="{CONTAINER}item/"'
    if video:
        spaces += ' xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1"'
    said = packet(spaces.encode(), b"<c:Directory><rdf:Seq>" + listed + b"</rdf:Seq></c:Directory>")
    plain = packed(smooth(), **options)
    segments = segment(0xE1, XMP + said) + segment(0xE2, ISO)
    return plain[:2] + segments + plain[2:] + the_map + video


def fix(data, suffix="", size=None):
    """Return the photo with a brighter square, as bytes, and the notes on it."""
    picture, file = read_picture(io.BytesIO(data)), io.BytesIO()
    fixed = picture.image.copy()
    fixed[40:80, 40:80] += np.uint8(30)
    if size:
        fixed = np.asarray(Image.fromarray(fixed).resize(size))
    notes = encode(picture, fixed, file, suffix=suffix)
    return file.getvalue(), notes


def check_index(data, the_map):
    """Fail unless the index of the file leads to the gain map."""
    opened = MpoImageFile(io.BytesIO(data))
    first, second = opened.mpinfo[0xB002]
    assert opened.n_frames == 2
    assert first["Size"] + len(the_map) == len(data)
    opened.seek(1)
    opened.load()
    at = data.index(b"MPF\0") + 4 + second["DataOffset"]
    assert data[at : at + second["Size"]] == the_map


@pytest.mark.parametrize("turn", [1, 6])
def test_the_gain_map_is_kept_with_all_that_leads_to_it(turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    data = ultra_hdr(exif=exif.tobytes())
    new, notes = fix(data)
    assert notes == ()
    check_index(new, gain_map())
    assert segment(0xE2, ISO) in new
    [xmp] = [body for kind, body in MpoImageFile(io.BytesIO(new)).applist if kind == "APP1" and body.startswith(XMP)]
    text, _ = decode_packet(xmp[len(XMP) :])
    assert find_value(text, HDRGM, "Version").text == "1.0"
    assert find_value(text, f"{CONTAINER}item/", "Length").text == str(len(gain_map()))
    assert 'dc:format="kept"' in text
    again = read_picture(io.BytesIO(new))
    assert (again.turn, again.left_out) == (turn, ())
    assert again.metadata.gain_map == read_picture(io.BytesIO(data)).metadata.gain_map


def test_fixing_twice_names_it_once():
    once, _ = fix(ultra_hdr())
    twice, _ = fix(once)
    check_index(twice, gain_map())
    assert twice.count(b"hdrgm:Version") == 1
    assert twice.count(b"<Container:Directory>") == 1


def test_it_fits_a_larger_image_too():
    new, notes = fix(ultra_hdr(), size=(480, 320))
    assert notes == ()
    check_index(new, gain_map())


def test_the_video_behind_it_goes_and_is_named_no_more():
    video = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(900)
    new, notes = fix(ultra_hdr(video=video))
    assert notes == ("Its video (motion photo) was left out.",)
    check_index(new, gain_map())
    assert b"MotionPhoto" not in new


def test_a_photo_of_apple_keeps_its_map_and_gets_no_other_names():
    plain, the_map = packed(smooth()), gain_map(apple=True)
    new, notes = fix(plain + the_map)
    assert notes == ()
    check_index(new, the_map)
    primary = new.partition(the_map)[0]
    assert b"Container" not in primary
    assert ISO not in primary


def test_a_map_that_does_not_fit_or_is_damaged_is_left_out_and_named_no_more():
    whole = gain_map()
    headless = whole[: whole.index(b"\xff\xc0")] + b"\xff\xd9"
    for the_map in (gain_map((60, 55)), headless):
        new, notes = fix(ultra_hdr(the_map))
        assert "Its HDR gain map was left out." in notes
        assert not [word for word in (b"hdrgm", b"Container", b"21496", b"MPF\0") if word in new]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_other_kinds_of_files_get_none_and_it_is_said(suffix):
    new, notes = fix(ultra_hdr(), suffix)
    assert any(note.startswith("Its HDR gain map was left out") for note in notes)
    assert b"hdrgm" not in new


def test_a_photo_that_did_not_change_is_copied_with_it():
    data = ultra_hdr()
    picture, file = read_picture(io.BytesIO(data)), io.BytesIO()
    assert encode(picture, picture.image, file) == ()
    assert file.getvalue() == data


def test_another_reader_sees_the_same_light_outside_the_change_and_the_same_gain_inside():
    codecs = pytest.importorskip("imagecodecs")
    if not codecs.ULTRAHDR.available:
        pytest.skip("this imagecodecs has no libultrahdr")
    linear = (np.asarray(smooth((320, 240))) / 255.0) ** 2.2
    light = np.where(linear.mean(2, keepdims=True) > 0.25, 4 * linear, linear)
    scene = np.dstack([light, np.ones(light.shape[:2])]).astype(np.float16)
    kinds = {"transfer": codecs.ULTRAHDR.CT.LINEAR}
    data = codecs.ultrahdr_encode(scene, gamut=codecs.ULTRAHDR.CG.BT_709, **kinds)

    new, notes = fix(data)
    assert notes == ()

    def view(file):
        shown = codecs.ultrahdr_decode(file, dtype=np.float16, **kinds)[..., :3].astype(float)
        plain = (read_picture(io.BytesIO(file)).image / 255.0 + 0.055) / 1.055
        return shown, np.log2((shown + 1 / 64) / (plain**2.4 + 1 / 64))

    (before, gain), (after, gain_now) = view(data), view(new)
    assert before.max() > 1.5  # it is HDR
    inside = np.s_[48:72, 48:72]
    outside = np.ones(before.shape[:2], bool)
    outside[32:88, 32:88] = False
    stops = np.abs(np.log2((after + 1 / 64) / (before + 1 / 64)))
    assert stops[outside].mean() < 0.01
    assert stops[inside].mean() > 0.1
    assert np.abs(gain_now[inside] - gain[inside]).mean() < 0.06
