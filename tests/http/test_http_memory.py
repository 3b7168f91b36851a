"""No photo that is sent touches the disk."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest
from PIL import Image
from sending import coded, sent

from lib_facefix.server.routes import PREFIX
from lib_facefix.settings.face_settings import FaceSettings

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_opened: list[list[object]] = []
"""For each test that watches: the files that were opened for writing."""


def _see(event, arguments):
    if _opened and event == "open":
        path, mode, flags = arguments
        writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool((flags or 0) & WRITING)
        if writes and path != os.devnull:
            _opened[-1].append(path)


sys.addaudithook(_see)


@pytest.fixture
def written():
    """What has been opened for writing since."""
    _opened.append([])
    yield _opened[-1]
    _opened.pop()


@pytest.fixture(scope="module")
def large(photo):
    """The photo as a PNG of more than 1 MiB: what starlette's own parser would put into the temporary folder."""
    with Image.open(io.BytesIO(photo)) as picture:
        file = io.BytesIO()
        picture.resize((800, 800)).save(file, "PNG", compress_level=0)
    assert len(file.getvalue()) > 1 << 20
    return file.getvalue()


def body(way, photo, values):
    if way == "JSON":
        return {"json": sent(photo, **values)}
    fields = {name: json.dumps(value) for name, value in values.items()}
    if way == "form with a file":
        return {"data": fields, "files": {"image": ("photo.png", photo, "image/png")}}
    return {"data": fields, "files": {"image": (None, coded(photo))}}


def test_the_watch_sees_files_that_are_written(tmp_path, written):
    (tmp_path / "a").write_bytes(b"")
    os.close(os.open(tmp_path / "b", os.O_WRONLY | os.O_CREAT))
    (tmp_path / "a").read_bytes()
    assert [os.fspath(path) for path in written] == [str(tmp_path / "a"), str(tmp_path / "b")]


@pytest.mark.parametrize("accept", ["application/json", "image/png"])
@pytest.mark.parametrize("way", ["JSON", "form with a file", "form with base64"])
@pytest.mark.parametrize("call", ["detect", "plan", "fix", "preview"])
def test_no_file_is_written(client, photo, large, written, call, way, accept):
    picture = photo if way == "form with base64" else large  # a field of a form is short, a file of one is not
    settings = FaceSettings(method="restore").to_json()
    plan = client.post(f"{PREFIX}/plan", json=sent(picture, settings=settings)).json()
    values = {"plan": plan} if call == "preview" else {"settings": settings}
    written.clear()
    answer = client.post(f"{PREFIX}/{call}", headers={"accept": accept}, **body(way, picture, values))
    assert answer.status_code == 200, answer.text
    assert written == []
