"""The mark that is put into a file as the host saves it."""

import json
import sys
from types import SimpleNamespace

import pytest
from PIL import Image as Pil

from lib_facefix.pictures import read_picture
from lib_facefix.pictures.picture import Metadata
from lib_facefix.pictures.xmp_packet import EMPTY_PACKET
from lib_facefix.provenance import Edit, read_edits
from lib_facefix.webui.passes.mark import FIELD, find_earlier, find_edits, mark_files, mark_texts

FACES = [
    {"n": 1, "box": [10, 20, 30, 40], "do": "restore"},
    {"n": 2, "box": [50, 20, 70, 40], "do": "leave", "why": "sharp"},
    {"n": 3, "box": [90, 20, 99, 40], "do": "re-diffuse", "seed": 1, "strength": 0.4},
    {"n": 4, "box": [90, 60, 99, 90], "do": "restore", "verdict": "failed"},
]
EDITS = (Edit("restore", "gfpgan", face=1, box=(10, 20, 30, 40)), Edit("re-diffuse", face=3, box=(90, 20, 99, 40)))


def infotext(**entry):
    entry = {"v": 1, "passes": [{"restorer": "gfpgan"}], "faces": [FACES], **entry}
    return f"a girl\nNegative prompt: none\nSteps: 20, FaceFix: {json.dumps(json.dumps(entry))}, Version: v1.10"


def edits_in(texts):
    return read_edits(Metadata(xmp=texts[FIELD].encode()))


def test_faces_of_classes_that_had_a_pass_each_all_count():
    units = [{"detector": "a.onnx[face, hand]", "each_class": True, "restorer": "gfpgan"}, {"restorer": "codeformer"}]
    text = infotext(v=2, passes=units, faces=[FACES[:1], FACES[2:3], FACES[:1]])
    assert [edit.model for edit in find_edits(text)] == ["gfpgan", "", "codeformer"]


def test_what_was_done_is_read_from_the_infotext():
    assert find_edits(infotext()) == EDITS


@pytest.mark.parametrize(
    "text", ["", "a girl", infotext(faces=[]), infotext(v=9), infotext(faces=[[{"do": "restore"}]]), infotext(faces=7)]
)
def test_an_infotext_that_tells_nothing_gives_no_mark(text):
    texts = {"parameters": text}
    mark_texts(texts)
    assert texts == {"parameters": text}


def test_the_mark_joins_the_record_of_the_host_once():
    texts = {"parameters": infotext()}
    mark_texts(texts)
    assert texts["parameters"] == infotext()
    assert edits_in(texts) == EDITS
    marked = dict(texts)
    mark_texts(texts)
    assert texts == marked
    assert find_earlier(texts) == find_earlier({"xmp": texts[FIELD].encode()}) == EDITS


def test_the_extras_tab_adds_to_an_earlier_mark():
    texts = {"parameters": infotext()}
    mark_texts(texts)
    texts["postprocessing"] = infotext(passes=[{}], faces=[FACES[:1]]).partition("\nSteps: 20, ")[2]
    mark_texts(texts)
    assert edits_in(texts) == (*EDITS, Edit("restore", "lite", face=1, box=(10, 20, 30, 40)))


@pytest.mark.parametrize("wanted", [True, False])
def test_the_setting_decides(monkeypatch, wanted):
    from lib_facefix.webui import script

    monkeypatch.setattr(script, "read_options", lambda: SimpleNamespace(mark=wanted))
    params = SimpleNamespace(pnginfo={"parameters": infotext()})
    script.mark_saved(params)
    assert (FIELD in params.pnginfo) == wanted
    script.mark_saved(SimpleNamespace(pnginfo=None))


def test_an_infotext_from_another_version_of_facefix_adds_no_second_mark():
    texts = {"parameters": infotext()}
    mark_texts(texts)
    texts[FIELD] = texts[FIELD].replace(f'facefix:version="{EDITS[0].version}"', 'facefix:version="0.1"')
    older = dict(texts)
    mark_texts(texts)
    assert texts == older


@pytest.mark.parametrize("encoding", ["utf_8", "utf_16"])
def test_the_xmp_of_a_webp_is_kept_beside_the_mark(encoding):
    title = '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="é"/>'
    other = EMPTY_PACKET.replace("</rdf:RDF>", f"{title}</rdf:RDF>")
    texts = {"xmp": other.encode(encoding), "extras": infotext()}
    mark_texts(texts)
    assert texts.keys() == {"extras", FIELD}
    assert 'dc:title="é"' in texts[FIELD]
    assert edits_in(texts) == EDITS


def test_an_image_without_a_mark_is_known_by_its_infotext():
    assert find_earlier({}, infotext()) == EDITS
    assert find_earlier({}, "a girl") == ()


class Opened:
    """A stand-in for the host, which reads the infotext that the tests have put into a file's comment."""

    def read_info_from_image(self, image):
        return image.info.get("comment", b"").decode(), {}


@pytest.fixture
def saved(monkeypatch, tmp_path):
    """Save a JPEG as the host does: with its infotext, and without XMP."""
    monkeypatch.setitem(sys.modules, "modules", SimpleNamespace(images=Opened()))

    def save(name, text):
        Pil.new("RGB", (16, 16)).save(tmp_path / name, "JPEG", comment=text)
        return tmp_path / name

    return save


def is_marked(path):
    return bool(read_edits(read_picture(path).metadata))


def test_only_the_files_of_this_very_image_are_marked(saved, tmp_path):
    texts = {"parameters": infotext()}
    mark_texts(texts)
    files = [saved(name, infotext()) for name in ("1.jpg", "1-1.jpg", "1-2.jpg")]
    others = [saved(name, text) for name, text in (("1-4.jpg", infotext()), ("2.jpg", "a girl"))]
    stays = [path.read_bytes() for path in others]
    mark_files(str(tmp_path / "1.png"), texts)  # the host has saved no PNG, but a smaller JPEG
    mark_files(str(tmp_path / "2.jpg"), texts)
    assert [is_marked(path) for path in files] == [True, False, True]
    assert [path.read_bytes() for path in others] == stays


def test_a_file_without_edits_stays(saved):
    path = saved("1.jpg", "a girl")
    before = path.read_bytes()
    mark_files(str(path), {"parameters": "a girl"})
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_marked_is_told(monkeypatch, saved):
    from lib_facefix.webui import script

    told, path = [], saved("1.jpg", infotext())
    monkeypatch.setattr(script, "read_options", lambda: SimpleNamespace(mark=True))
    sys.modules["modules"].errors = SimpleNamespace(report=told.append)
    params = SimpleNamespace(filename=str(path), pnginfo={"parameters": infotext()})
    script.mark_saved(params)
    params.pnginfo[FIELD] = params.pnginfo[FIELD].replace("</x:xmpmeta>", " " * 70_000 + "</x:xmpmeta>")
    script.mark_saved_file(params)
    assert len(told) == 1
    assert told[0].startswith(f"FaceFix: {path} has no mark (XMP), but is otherwise complete: the XMP has ")
    assert not is_marked(path)
