"""What nobody sends by mistake: each is refused with a sentence, and the server lives on."""

import json

import pytest
from fastapi.testclient import TestClient
from sending import coded, sent, where

from lib_facefix.server.app import StandaloneHost, app
from lib_facefix.server.routes import PREFIX

KIND = {"Content-Type": "application/json"}
HALF = "\ud800"
"""Half a letter: JSON can spell it, UTF-8 cannot."""
ODD = [None, True, -1, 0, 9e6, 1e308, 10**400, float("nan"), float("inf"), "", HALF, [], {}, [[]], 2**70]


def post(client, call, body):
    return client.post(f"{PREFIX}/{call}", content=json.dumps(body), headers=KIND)


def places(value, way=()):
    """Yield the way to every value in a document."""
    yield way
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        yield from places(inner, (*way, name))


def replaced(value, way, new):
    """Return the document with one value replaced."""
    if not way:
        return new
    copy = value.copy()
    copy[way[0]] = replaced(value[way[0]], way[1:], new)
    return copy


@pytest.fixture(scope="module")
def plan(engine, photo):
    with TestClient(app(StandaloneHost(engine)), base_url="http://localhost") as client:
        return client.post(f"{PREFIX}/plan", json=sent(photo, settings={"method": "restore"})).json()


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
def test_no_value_in_a_plan_breaks_a_preview(client, photo, plan, odd):
    ways = [way for way in places(plan) if way[:1] != ("faces",) or way[2:3] != ("parameters",)]
    assert len(ways) > 20
    for way in ways:
        answer = post(client, "preview", sent(photo, plan=replaced(plan, way, odd)))
        assert answer.status_code in (200, 422), (way, answer.text)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"settings": {"prompt": HALF}}, id="in a setting"),
        pytest.param({"settings": {HALF: 1}}, id="as the name of a setting"),
        pytest.param({"overrides": {HALF: {}}}, id="as a number"),
        pytest.param({"origin": {"prompt": f"a girl {HALF}"}}, id="in a prompt"),
        pytest.param({HALF: 1}, id="as the name of a part"),
    ],
)
def test_half_a_letter_is_refused(client, photo, body):
    assert "unpaired surrogate" in where(post(client, "plan", sent(photo, **body)))["body"]


def test_half_a_letter_in_a_form_is_refused(client, photo):
    form = {"settings": json.dumps({"prompt": HALF})}
    answer = client.post(f"{PREFIX}/plan", files={"image": ("a.jpg", photo)}, data=form)
    assert "unpaired surrogate" in where(answer)["body"]


def test_whole_letters_of_every_script_are_taken(client, photo):
    told = post(client, "plan", sent(photo, settings={"prompt": "ひとり 👩🏽", "method": "restore"})).json()
    assert told["faces"][0]["parameters"]["prompt"] == "ひとり 👩🏽"


@pytest.mark.parametrize("named", ["a" * 300, "a/" * 3000, "loop", "loop/x", HALF, "\udc80"])
def test_a_folder_that_can_be_none_is_refused(serve, tmp_path, named):
    (tmp_path / "loop").symlink_to(tmp_path / "pool")
    (tmp_path / "pool").symlink_to(tmp_path / "loop")
    client = serve(folders=[tmp_path])
    for body in ({"folder": named, "output": "new"}, {"folder": ".", "output": named}):
        assert post(client, "batch", body).status_code in (403, 422)


@pytest.mark.parametrize("named", ["loop/a.pth", "a" * 300 + ".pth"])
def test_a_model_file_that_can_be_none_is_refused(serve, tmp_path, photo, named):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    body = sent(photo, settings={"method": "restore", "restorer": str(tmp_path / named)})
    assert where(post(serve(folders=[tmp_path]), "plan", body)).keys() == {"body.settings.restorer"}


def test_a_plan_of_too_many_faces_is_refused(serve, photo, plan):
    [face] = plan["faces"]
    many = {**plan, "faces": [{**face, "number": number} for number in range(1, 5)]}
    assert (
        "4 faces; this server accepts at most 3"
        in where(post(serve(faces=3), "fix", sent(photo, plan=many)))["body.plan"]
    )


@pytest.mark.parametrize("depth", [90, 900, 5000, 100_000])
@pytest.mark.parametrize("part", ["image", "settings", "overrides", "plan", "origin"])
def test_what_is_nested_deep_is_refused(client, part, depth):
    body = json.dumps({"image": coded(b"x"), part: "@"}).replace('"@"', "[" * depth + "]" * depth)
    assert where(client.post(f"{PREFIX}/fix", content=body, headers=KIND))
