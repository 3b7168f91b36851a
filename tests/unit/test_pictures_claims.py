"""What a file says of its old pixels: kept where it stays true, else taken out and said."""

from __future__ import annotations

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, PngImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from lib_facefix.errors import BadPicture, CannotWrite
from lib_facefix.pictures import check_writable, copy_sidecars, picture, read, read_picture, write_picture

XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
VIDEO = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\1\0mdat" + bytes(3000)
SIGNED = "Content Credentials"


def photo(size=(40, 30)):
    return Image.frombytes("RGB", size, np.random.default_rng(2).bytes(size[0] * size[1] * 3))


def packed(kind="JPEG", **options):
    file = io.BytesIO()
    photo().save(file, format=kind, **options)
    return file.getvalue()


def segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg(*segments, behind=b""):
    plain = packed()
    return plain[:2] + b"".join(segment(*one) for one in segments) + plain[2:] + behind


def fix(folder, data, source="in.jpg", target="out.jpg", **options):
    """Write the picture changed; return the new bytes and the notes on it."""
    (folder / source).write_bytes(data)
    old = read_picture(folder / source)
    notes = write_picture(old, 255 - old.image, folder / target, **options)
    return (folder / target).read_bytes(), " ".join(notes)


def copied(folder, data, source):
    """Write the picture unchanged."""
    (folder / source).write_bytes(data)
    old = read_picture(folder / source)
    assert write_picture(old, old.image, folder / f"copy-{source}") == ()
    return (folder / f"copy-{source}").read_bytes()


def xmp_of(inside, attributes=b""):
    spaces = (
        b'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" '
        b'xmlns:Item="http://ns.google.com/photos/1.0/container/item/" '
        b'xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        b'xmlns:Cam="http://ns.google.com/photos/1.0/camera/" xmlns:dcterms="http://purl.org/dc/terms/" '
    )
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" ' + spaces + attributes + b' dc:format="kept">' + inside + b"</rdf:Description>"
        b"</rdf:RDF></x:xmpmeta>"
    )


DIRECTORY = (
    b'<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary"/></rdf:li>'
    b'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Length="9"/></rdf:li></rdf:Seq>'
    b"</Container:Directory>"
)


def test_a_motion_photo_loses_its_video_and_the_claim_to_have_one(tmp_path):
    claims = b'Cam:MotionPhoto="1" Cam:MotionPhotoVersion="1" Cam:MicroVideo="1" Cam:MicroVideoOffset="3042"'
    data = jpeg((0xE1, XMP_HEAD + xmp_of(DIRECTORY, claims)), behind=VIDEO)
    new, notes = fix(tmp_path, data)
    assert "video" in notes
    assert not [word for word in (b"MotionPhoto", b"MicroVideo", b"Container", b"ftyp") if word in new]
    assert b'dc:format="kept"' in new
    assert copied(tmp_path, data, "in.jpg") == data


def test_a_samsung_video_is_said_too(tmp_path):
    new, notes = fix(tmp_path, jpeg(behind=b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data" + VIDEO + b"SEFH....SEFT"))
    assert "video" in notes
    assert b"SEFT" not in new


@pytest.mark.parametrize("as_elements", [False, True])
def test_a_photo_without_the_gain_map_that_it_names_loses_the_name(tmp_path, as_elements):
    elements = (
        b"<hdrgm:Version>1.0</hdrgm:Version><hdrgm:GainMapMax><rdf:Seq><rdf:li>2</rdf:li></rdf:Seq></hdrgm:GainMapMax>"
    )
    xmp = xmp_of(elements + DIRECTORY) if as_elements else xmp_of(DIRECTORY, b'hdrgm:Version="1.0"')
    new, notes = fix(tmp_path, jpeg((0xE1, XMP_HEAD + xmp), (0xE2, b"urn:iso:std:iso:ts:21496:-1\0")))
    assert "gain map" in notes
    assert not [word for word in (b"hdrgm", b"Container", b"21496") if word in new]
    assert new.count(b"\xff\xd8\xff") == 1
    assert b'dc:format="kept"' in new


def test_a_jpeg_with_nothing_behind_it_has_no_notes(tmp_path):
    _, notes = fix(tmp_path, jpeg(behind=b"\0" * 900))
    assert notes == ""


def png_with(*chunks, behind=b""):
    plain = packed("PNG")
    made = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return plain[:33] + made + plain[33:] + behind


def webp_with(kind, body):
    plain = packed("WEBP", lossless=True, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
    whole = plain + kind + struct.pack("<I", len(body)) + body
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def tiff_with(tag, value):
    tags = ImageFileDirectory_v2()
    tags.tagtype[tag] = 7
    tags[tag] = value
    return packed("TIFF", tiffinfo=tags)


BOXES = b"JP\0\1\0\0\0\1\0\0\0\x20jumb\0\0\0\x18jumdc2pa" + bytes(16)
SIGNED_FILES = {
    "in.jpg": lambda: jpeg((0xEB, BOXES)),
    "in.png": lambda: png_with((b"caBX", b"jumbc2pa")),
    "in.webp": lambda: webp_with(b"C2PA", b"jumbc2pa"),
    "in.tif": lambda: tiff_with(52545, b"jumbc2pa"),
    "in.jp2": lambda: packed("JPEG2000") + struct.pack(">I4s", 16, b"jumb") + b"jumbc2pa",
}


@pytest.mark.parametrize("name", SIGNED_FILES)
def test_content_credentials_leave_a_changed_file_and_stay_in_a_copy(tmp_path, name):
    data = SIGNED_FILES[name]()
    new, notes = fix(tmp_path, data, name, f"out{name[2:]}")
    assert SIGNED in notes
    assert b"c2pa" not in new
    assert copied(tmp_path, data, name) == data


def test_the_link_to_content_credentials_in_xmp_goes_too(tmp_path):
    new, _ = fix(tmp_path, jpeg((0xE1, XMP_HEAD + xmp_of(b"", b'dcterms:provenance="self#jumbf=c2pa"'))))
    assert b"c2pa" not in new


REGIONS = (
    b'<mwg-rs:Regions xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" rdf:parseType="Resource">'
    b"<mwg-rs:RegionList>Oma</mwg-rs:RegionList></mwg-rs:Regions>"
)


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_regions_stay_where_pixels_lie_as_before(tmp_path, orientation):
    plain = packed(exif=turned(orientation), quality=95)
    data = plain[:2] + segment(0xE1, XMP_HEAD + xmp_of(REGIONS)) + plain[2:]
    (tmp_path / "in.jpg").write_bytes(data)
    old = read_picture(tmp_path / "in.jpg")
    fixed = np.full_like(old.image, 128)
    fixed[: len(fixed) // 2, : fixed.shape[1] // 2] = 250
    assert write_picture(old, fixed, tmp_path / "out.jpg") == ()
    with Image.open(tmp_path / "out.jpg") as new:
        assert new.size == (40, 30)
        assert new.getexif()[0x0112] == orientation
        assert b"Oma" in new.info["xmp"]
        seen = np.asarray(ImageOps.exif_transpose(new))
    assert np.abs(seen.astype(int) - fixed).mean() < 4


def test_regions_leave_a_picture_that_is_turned_for_another_kind(tmp_path):
    plain = packed(exif=turned(6))
    data = plain[:2] + segment(0xE1, XMP_HEAD + xmp_of(REGIONS)) + plain[2:]
    new, notes = fix(tmp_path, data, target="out.webp")
    assert "regions" in notes
    assert b"Oma" not in new
    assert b'dc:format="kept"' in new


def with_subject(orientation, area, location):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769).update({0x9214: area, 0xA214: location})
    return exif.tobytes()


def subject_in(path):
    with Image.open(path) as new:
        inner = new.getexif().get_ifd(0x8769)
    return tuple(inner[0x9214]), tuple(inner[0xA214])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("extent", "quarter"), [((), ()), ((7,), (7,)), ((7, 5), (5, 7))], ids=["point", "circle", "box"]
)
def test_the_subject_is_turned_with_the_pixels(tmp_path, orientation, extent, quarter):
    mark = np.zeros((30, 40, 3), np.uint8)
    mark[4, 33] = 255  # the subject, as the file holds it
    Image.fromarray(mark).save(tmp_path / "in.tif", exif=with_subject(orientation, (33, 4, *extent), (33, 4)))
    old = read_picture(tmp_path / "in.tif")
    [[y, x]] = np.argwhere(old.image[..., 0] == 255)
    write_picture(old, old.image // 2, tmp_path / "out.png")
    assert subject_in(tmp_path / "out.png") == ((x, y, *(quarter if orientation >= 5 else extent)), (x, y))

    write_picture(old, old.image // 2, tmp_path / "out.tif")  # of the same kind: pixels lie as before
    assert subject_in(tmp_path / "out.tif") == ((33, 4, *extent), (33, 4))


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_subject_is_where_it_was_in_an_enlarged_picture(tmp_path, orientation):
    (tmp_path / "in.jpg").write_bytes(packed(exif=with_subject(orientation, (30, 12, 8, 6), (30, 12))))
    old = read_picture(tmp_path / "in.jpg")
    height, width = old.image.shape[:2]
    larger = np.zeros((height * 3, width * 3, 3), np.uint8)
    write_picture(old, larger, tmp_path / "out.jpg")
    assert subject_in(tmp_path / "out.jpg") == ((90, 36, 24, 18), (90, 36))
    write_picture(old, larger, tmp_path / "out.webp")
    turned_too = ((90, 36, 24, 18), (90, 36)) if orientation == 1 else ((89 - 36, 90, 18, 24), (89 - 36, 90))
    assert subject_in(tmp_path / "out.webp") == turned_too


def test_a_subject_in_xmp_leaves_a_picture_that_is_turned(tmp_path):
    subject = b'<exif:SubjectArea xmlns:exif="http://ns.adobe.com/exif/1.0/"><rdf:Seq>33</rdf:Seq></exif:SubjectArea>'
    plain = packed(exif=turned(6))
    data = plain[:2] + segment(0xE1, XMP_HEAD + xmp_of(b'<a xmlns:exif="http://ns.adobe.com/exif/1.0/"/>' + subject))
    new, notes = fix(tmp_path, data + plain[2:], target="out.webp")
    assert "subject" in notes
    assert b"SubjectArea" not in new
    assert b'dc:format="kept"' in new


def resource(number, body):
    return b"8BIM" + struct.pack(">HHI", number, 0, len(body)) + body + b"\0" * (len(body) % 2)


IPTC = resource(0x0404, b"\x1c\x02\x78\0\x03Oma")
RESOURCES = IPTC + resource(0x040C, b"old face" * 9) + resource(0x0409, b"old face") + resource(0x03ED, b"\0\x48" * 8)


def test_photoshops_thumbnail_goes_and_its_other_resources_stay(tmp_path):
    new, notes = fix(tmp_path, jpeg((0xED, b"Photoshop 3.0\0" + RESOURCES)))
    assert b"old face" not in new
    assert IPTC + resource(0x03ED, b"\0\x48" * 8) in new
    assert notes == ""


def test_resources_in_several_segments_are_one(tmp_path):
    large = resource(0x0BB7, bytes(70_000)) + RESOURCES
    parts = [(0xED, b"Photoshop 3.0\0" + large[at : at + 60_000]) for at in range(0, len(large), 60_000)]
    fix(tmp_path, jpeg(*parts))
    assert (
        read_picture(tmp_path / "out.jpg").metadata.photoshop == large.replace(RESOURCES, b"") + IPTC + RESOURCES[-28:]
    )


def test_iptc_goes_from_jpeg_to_tiff_and_back_and_is_said_elsewhere(tmp_path):
    data = jpeg((0xED, b"Photoshop 3.0\0" + IPTC))
    as_tiff, notes = fix(tmp_path, data, target="out.tif")
    assert IPTC in as_tiff
    assert notes == ""
    back, notes = fix(tmp_path, as_tiff, "in.tif", "out.jpg")
    assert b"Photoshop 3.0\0" + IPTC in back
    assert "IPTC" in fix(tmp_path, data, target="out.png")[1]
    assert fix(tmp_path, jpeg((0xED, b"Photoshop 3.0\0" + RESOURCES[-28:])), target="out.png")[1] == ""


def test_a_tiffs_thumbnail_and_layers_of_photoshop_go(tmp_path):
    new, _ = fix(tmp_path, tiff_with(34377, RESOURCES), "in.tif", "out.tif")
    assert b"old face" not in new
    assert IPTC in new
    new, notes = fix(tmp_path, tiff_with(37724, b"old layers"), "in.tif", "out.tif")
    assert b"old layers" not in new
    assert "layers" in notes


def exif_with(thumbnail, note=b"kept" * 20):
    tags = ImageFileDirectory_v2()
    tags[272] = "Camera of a test"
    tags.tagtype[0x8769] = 4
    tags[0x8769] = {37500: note}
    file = io.BytesIO()
    tags.save(file)
    block = bytearray(file.getvalue())
    link = 8 + 2 + 12 * struct.unpack_from("<H", block, 8)[0]
    struct.pack_into("<I", block, link, len(block))
    entries = struct.pack("<HHHII", 2, 0x0201, 4, 1, len(block) + 30) + struct.pack(
        "<HHII", 0x0202, 4, 1, len(thumbnail)
    )
    return bytes(block) + entries + bytes(4) + thumbnail


@pytest.mark.parametrize("behind", [b"", b"\0" * 8], ids=["at the end", "before the end"])
def test_a_huge_thumbnail_in_exif_is_cut_and_the_rest_stays(tmp_path, behind):
    block = exif_with(b"old face" * 20_000) + behind
    parts = [(0xE1, b"Exif\0\0" + block[at : at + 60_000]) for at in range(0, len(block), 60_000)]
    new, notes = fix(tmp_path, jpeg(*parts))
    with Image.open(tmp_path / "out.jpg") as seen:
        assert seen.getexif()[272] == "Camera of a test"
    assert b"old face" not in new
    assert b"keptkept" in new
    assert len(new) < 20_000
    assert notes == ""


def test_a_makers_note_too_long_for_a_jpeg_is_left_out_and_said(tmp_path):
    block = exif_with(b"x", note=b"note" * 20_000)
    parts = [(0xE1, b"Exif\0\0" + block[at : at + 60_000]) for at in range(0, len(block), 60_000)]
    new, notes = fix(tmp_path, jpeg(*parts))
    assert b"Camera of a test" in new
    assert "maker's note" in notes


@pytest.mark.parametrize("target", ["out.bmp", "out.gif"])
def test_what_a_simple_kind_cannot_hold_is_said(tmp_path, target):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    _, notes = fix(tmp_path, packed(exif=turned(1), icc_profile=profile), target=target)
    assert "EXIF, colour profile left out" in notes
    said = PngImagePlugin.PngInfo()
    said.add_text("Author", "Oma")
    assert "Author" in fix(tmp_path, packed("PNG", pnginfo=said), "in.png", target)[1]
    assert "Author" in fix(tmp_path, packed("PNG", pnginfo=said), "in.png", "out.jpg")[1]


def test_jpeg_2000_keeps_profile_exif_and_xmp(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = packed(exif=b"Exif\0\0" + exif_with(b"x"), icc_profile=profile)
    data = plain[:2] + segment(0xE1, XMP_HEAD + xmp_of(b"")) + plain[2:]
    _, notes = fix(tmp_path, data, target="out.jp2")
    assert notes == ""
    _, notes = fix(tmp_path, (tmp_path / "out.jp2").read_bytes(), "in.jp2", "again.jp2")
    assert notes == ""
    said = read_picture(tmp_path / "again.jp2").metadata
    assert said.icc == profile
    assert b"Camera of a test" in said.exif
    assert b'dc:format="kept"' in said.xmp
    with Image.open(tmp_path / "again.jp2") as seen:
        seen.load()
        assert seen.size == (40, 30)


def avif(nclx):
    data = bytearray(packed("AVIF", quality=100, subsampling="4:4:4"))
    at = data.index(b"colrnclx") + 8
    struct.pack_into(">HH", data, at, *nclx)
    return bytes(data)


@pytest.mark.parametrize("nclx", [(12, 13), (9, 16)], ids=["P3", "PQ"])
def test_avif_keeps_its_colour_tags(tmp_path, nclx):
    Image.init()
    if "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow knows no AVIF")
    new, notes = fix(tmp_path, avif(nclx), "in.avif", "out.avif")
    assert b"colrnclx" + struct.pack(">HH", *nclx) in new
    assert notes == ""
    as_png, notes = fix(tmp_path, avif(nclx), "in.avif", "out.png")
    assert b"cICP" + bytes([*nclx, 0, 1]) in as_png
    assert notes == ""
    assert "colour tags" in fix(tmp_path, avif(nclx), "in.avif", "out.webp")[1]


def test_chunks_behind_the_end_of_a_png_are_not_read(tmp_path):
    stray = b"\0\0\0\x04teSt" + b"abcd" + struct.pack(">I", zlib.crc32(b"teStabcd"))
    new, _ = fix(tmp_path, png_with(behind=stray), "in.png", "out.png")
    assert b"teSt" not in new
    assert read_picture(tmp_path / "out.png").image.shape == (30, 40, 3)


def test_a_copy_keeps_its_time_and_a_new_file_where_it_is_asked(tmp_path):
    (tmp_path / "in.png").write_bytes(packed("PNG"))
    os.utime(tmp_path / "in.png", (1000, 1000))
    old = read_picture(tmp_path / "in.png")
    write_picture(old, old.image, tmp_path / "copy.png")
    write_picture(old, 255 - old.image, tmp_path / "new.png")
    write_picture(old, 255 - old.image, tmp_path / "kept.png", keep_times=True)
    times = [(tmp_path / name).stat().st_mtime for name in ("copy.png", "new.png", "kept.png")]
    assert times[0] == times[2] == 1000
    assert times[1] > 1000


def test_sidecars_go_along_but_overwrite_nothing_and_links_stay(tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("1.jpg.xmp", "1.xmp", "2.jpg.xmp"):
        (tmp_path / name).write_text(name)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "1.jpg.json").symlink_to(tmp_path / "secret")
    (tmp_path / "out" / "1.xmp").write_text("mine")
    assert copy_sidecars(tmp_path / "1.jpg", tmp_path / "out" / "1.jpg") == []
    assert copy_sidecars(tmp_path / "1.jpg", tmp_path / "1.jpg") == []
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["1.jpg.xmp", "1.xmp"]
    assert (tmp_path / "out" / "1.xmp").read_text() == "mine"


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_is_cut_off_is_salvaged_on_request(tmp_path, progressive):
    file = io.BytesIO()
    Image.fromarray(np.tile(np.arange(200, dtype=np.uint8)[None, :, None], (160, 1, 3))).save(
        file, "JPEG", progressive=progressive
    )
    (tmp_path / "in.jpg").write_bytes(file.getvalue()[: len(file.getvalue()) * 3 // 4])
    with pytest.raises(BadPicture, match=r"is cut off.*--salvage"):
        read_picture(tmp_path / "in.jpg")
    old = read_picture(tmp_path / "in.jpg", salvage=True)
    assert old.image.shape == (160, 200, 3)
    assert np.abs(old.image[:60, :, 0].astype(int) - np.arange(200)).mean() < 12
    notes = write_picture(old, 255 - old.image, tmp_path / "out.jpg")
    assert "cut off" in " ".join(notes)


def webp_of(width, height):
    bits = width - 1 | (height - 1) << 14
    body = b"\x2f" + struct.pack("<I", bits) + bytes(5)
    return b"RIFF" + struct.pack("<I", len(body) + 12) + b"WEBPVP8L" + struct.pack("<I", len(body)) + body


def png_of(width, height, depth):
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"
        + header
        + struct.pack(">I", zlib.crc32(b"IHDR" + header))
        + b"\0\0\0\0IDAT"
        + bytes(4)
    )


@pytest.mark.parametrize(
    "data", [webp_of(16383, 15000), png_of(15000, 15000, 16)], ids=["WebP of 32 bytes", "PNG of 16 bits"]
)
def test_memory_is_bounded_in_bytes_before_anything_is_decoded(data):
    with pytest.raises(BadPicture, match=r"GiB of memory \(limit: 2 GiB"):
        read_picture(io.BytesIO(data))


def test_a_result_that_takes_too_much_memory_is_refused_before_the_work(tmp_path):
    (tmp_path / "in.png").write_bytes(packed("PNG"))
    old = read_picture(tmp_path / "in.png")
    check_writable(tmp_path / "out.png", old, (15000, 15000))
    with pytest.raises(CannotWrite, match="GiB of memory"):
        check_writable(tmp_path / "out.png", old, (16000, 16000))
    assert picture.MAX_BYTES == read.MAX_BYTES == 2 << 30


def test_depth_and_print_colours_that_are_given_up_are_said(tmp_path):
    import cv2

    deep = np.random.default_rng(3).integers(0, 65536, (30, 40, 3), dtype=np.uint16)
    data = cv2.imencode(".png", deep)[1].tobytes()
    assert "16 bits" in fix(tmp_path, data, "in.png", "out.jpg")[1]
    assert fix(tmp_path, data, "in.png", "out.tif")[1] == ""
    file = io.BytesIO()
    photo().convert("CMYK").save(file, "JPEG")
    assert "CMYK" in fix(tmp_path, file.getvalue(), target="out.jpg")[1]


def test_a_tile_larger_than_memory_is_refused():
    said = {256: 9, 257: 9, 258: 8, 259: 1, 262: 1, 277: 99, 284: 1, 322: 8192, 323: 8192, 324: 8, 325: 1, 338: 0}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(said.items()))
    with pytest.raises(BadPicture):
        read_picture(io.BytesIO(b"II*\0" + struct.pack("<IH", 8, len(said)) + entries + bytes(4)))


def test_an_hdr_avif_of_10_bits_says_what_it_loses_where_opencv_cannot_read_it(tmp_path, monkeypatch):
    Image.init()
    monkeypatch.setattr("lib_facefix.pictures.avif.packs_deep_avif", lambda: False)
    if "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow knows no AVIF")
    from lib_facefix.pictures.avif import avif_colours

    data = bytearray(avif((9, 16)))
    data[data.index(b"av1C") + 6] |= 0x40
    assert avif_colours(bytes(data)).nclx == (9, 16)
    assert "10 bits" in " ".join(avif_colours(bytes(data)).said)
