"""What is done to the pictures of the extras tab, on a real photo; the host around it is made up."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import infotext_words
import numpy as np
import pytest
from PIL import Image

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.webui.compare.history import OriginalStore
from lib_facefix.webui.extras import script
from lib_facefix.webui.extras.face_overrides import (
    ENABLE,
    EVENT_INPUTS,
    IS_SINGLE,
    SETTINGS,
    TUNING,
    FaceOverrides,
)
from lib_facefix.webui.extras.findings import Findings

PHOTO = Path(__file__).parents[1] / "data" / "faceapi_sample4.jpg"
"""Four faces."""


@pytest.fixture(scope="module")
def engine():
    return FaceFix()


@pytest.fixture
def host(monkeypatch, engine):
    """Stand-ins for what touches the host: what the photo was made from, and the sentences that a person was shown."""
    known = SimpleNamespace(origin=None, infotext="", shown=[])
    rooms = {
        "standalone": {
            "read_origin": lambda _: known.origin,
            "read_infotext": lambda _: known.infotext,
            "run_plan": lambda image, plan: engine.run([image], [plan])[0],
            "diffusing_engine": lambda: engine.with_diffuser(None),
        },
        "config.engine": {"get_engine": lambda: engine},
        "host.images": {"replace_colours": _repainted},
        "ui.gradio_compat": {"warn": known.shown.append},
    }
    for name, members in rooms.items():
        room = ModuleType(f"lib_facefix.webui.{name}")
        vars(room).update(members)
        monkeypatch.setitem(sys.modules, room.__name__, room)
    return known


def _repainted(image, after):
    made = Image.fromarray(after)
    if image.mode == "RGBA":
        made.putalpha(image.getchannel("A"))
    return made


class Postprocessed:
    """A picture as the host hands it on."""

    def __init__(self, image):
        self.image, self.info = image, {}


@pytest.fixture
def photo():
    with Image.open(PHOTO) as opened:
        return opened.convert("RGBA")


def colours(picture):
    return np.asarray(picture.convert("RGB"))


def tuned(engine, photo, overrides, **settings):
    """Return what the page keeps after these were set for single faces."""
    image, settings = colours(photo), FaceSettings(**settings)
    plan = engine.plan(image, settings)
    return replace(FaceOverrides.start(engine, image, settings, plan), overrides=overrides).to_text()


def done(photo, args, between=lambda picture: picture):
    """Let the tab's scripts run: ours looks, another one works, ours works."""
    pp = Postprocessed(photo)
    script.remember(pp, args)
    pp.image = between(pp.image)
    script.process(pp, args)
    return pp


def record(pp):
    return infotext_words.record(", ".join(f"{key}: {as_hosts_quote(text)}" for key, text in pp.info.items()))


def as_hosts_quote(text):
    return json.dumps(text, ensure_ascii=False) if set(text) & set(",:\n") else text


@pytest.mark.parametrize(
    "args",
    [
        pytest.param({}, id="nothing"),
        pytest.param(
            dict.fromkeys((ENABLE, IS_SINGLE, *EVENT_INPUTS)), id="the host's own API, which gives None for everything"
        ),
        pytest.param({ENABLE: False, IS_SINGLE: True, SETTINGS: '[{"method":"restore"}]'}, id="not ticked"),
    ],
)
def test_it_is_off(host, photo, args):
    pp = done(photo, args)
    assert pp.image is photo
    assert pp.info == {}


def test_ticked_and_nothing_else_the_defaults_are_used(host, engine, photo):
    pp = done(photo, {ENABLE: True, IS_SINGLE: True})
    [expected] = engine.fix([colours(photo)])
    assert (colours(pp.image) == expected.image).all()
    assert pp.info["FaceFix said"] == "4 faces: 4 restored"
    assert record(pp)["passes"] == [{"guard": "back-off"}]  # a photo shows a person, a generated image does not
    assert [face["do"] for face in record(pp)["faces"][0]] == ["restore"] * 4


def test_what_the_guard_found_is_kept_for_the_table(host, engine, photo, monkeypatch):
    monkeypatch.setattr(script, "FINDINGS", Findings())
    text = tuned(engine, photo, {2: {"method": "leave"}})
    done(photo, {ENABLE: True, IS_SINGLE: True, TUNING: text}, lambda one: one.resize((one.width * 2, one.height * 2)))
    tuning = FaceOverrides.from_text(text, engine)
    found = script.FINDINGS.find(tuning.picture, tuning.plan_for(FaceSettings()))
    assert sorted(found) == [1, 3, 4]
    assert all(one.distance < one.limit for one in found.values())


def test_opacity_stays(host, photo):
    alpha = Image.fromarray(
        np.arange(photo.width * photo.height, dtype=np.uint32).astype(np.uint8).reshape(photo.size[::-1])
    )
    photo.putalpha(alpha)
    pp = done(photo, {ENABLE: True, IS_SINGLE: True})
    assert (np.asarray(pp.image.getchannel("A")) == np.asarray(alpha)).all()


def test_settings_of_single_faces_are_those_of_the_command_line(host, engine, photo):
    overrides = {2: {"method": "leave"}, 3: {"fidelity": 0.9}}
    pp = done(photo, {ENABLE: True, IS_SINGLE: True, TUNING: tuned(engine, photo, overrides)})
    [expected] = engine.fix([colours(photo)], overrides=overrides)
    assert (colours(pp.image) == expected.image).all()
    assert pp.info["FaceFix said"] == "4 faces: 3 restored, 1 skipped (your choice)"
    assert record(pp)["overrides"] == {"2": "method leave", "3": "fidelity 0.9"}


def test_they_move_with_the_picture_when_another_script_enlarges_it(host, engine, photo):
    def enlarge(picture):
        return picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.LANCZOS)

    args = {ENABLE: True, IS_SINGLE: True, TUNING: tuned(engine, photo, {2: {"method": "leave"}})}
    pp = done(photo, args, enlarge)
    before, regions = colours(enlarge(photo)), {face["n"]: face["box"] for face in record(pp)["faces"][0]}
    changed = (colours(pp.image) != before).any(axis=2)
    shares = {n: changed[top:bottom, left:right].mean() for n, (left, top, right, bottom) in regions.items()}
    assert shares[2] == 0
    assert min(shares[number] for number in (1, 3, 4)) > 0.2
    assert pp.info["FaceFix said"] == "4 faces: 3 restored, 1 skipped (your choice)"


@pytest.mark.parametrize(
    ("others", "why"),
    [
        pytest.param({"picture": "rotated"}, "the faces were found in a different image", id="picture"),
        pytest.param(
            {SETTINGS: '[{"min_score":0.3}]'},
            "the detection settings have changed since the faces were found",
            id="settings",
        ),
    ],
)
def test_where_they_do_not_fit_the_common_settings_are_used_and_it_is_said(host, engine, photo, others, why):
    args = {ENABLE: True, IS_SINGLE: True, TUNING: tuned(engine, photo, {2: {"method": "leave"}})}
    if others.pop("picture", None):
        photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pp = done(photo, {**args, **others})
    assert pp.info["FaceFix said"] == f"4 faces: 4 restored; the settings for all faces were used, because {why}"
    assert "overrides" not in record(pp)


def test_batches_and_folders_have_the_common_settings(host, engine, photo):
    args = {
        ENABLE: True,
        IS_SINGLE: False,
        TUNING: tuned(engine, photo, {2: {"method": "leave"}}),
        SETTINGS: '[{"max_size":62}]',
    }
    pp = done(photo, args)
    assert [face["do"] for face in record(pp)["faces"][0]] == ["leave", "restore", "restore", "restore"]
    assert "larger than 62 px" in pp.info["FaceFix said"]


def test_a_picture_that_another_script_made_has_no_settings_of_single_faces(host, engine, photo):
    args = {ENABLE: True, IS_SINGLE: True, TUNING: tuned(engine, photo, {2: {"method": "leave"}})}
    pp = Postprocessed(photo)
    script.process(pp, args)
    assert pp.info["FaceFix said"].startswith("4 faces: 4 restored; the settings for all faces were used, because")


def test_what_cannot_be_done_leaves_the_picture_and_is_said(host, photo):
    pp = done(photo, {ENABLE: True, IS_SINGLE: True, TUNING: "{"})
    assert pp.image is photo
    assert pp.info["FaceFix said"].startswith("the image is unchanged: the face settings on this page are damaged")
    assert host.shown == [f"FaceFix: {pp.info['FaceFix said']}"]


def test_a_picture_without_a_face_stays_as_it_is(host):
    empty = Image.new("RGB", (300, 200), (90, 120, 150))
    pp = done(empty, {ENABLE: True, IS_SINGLE: True})
    assert pp.image is empty
    assert pp.info["FaceFix said"] == "no face found"


def test_auto_re_diffuses_where_the_picture_says_what_it_was_made_from(host, photo):
    host.origin = GenerationParams("two couples", seed=5)
    pp = done(photo, {ENABLE: True, IS_SINGLE: True})
    assert [face["do"] for face in record(pp)["faces"][0]] == ["re-diffuse"] * 4
    assert pp.info["FaceFix said"].count("re-diffusing needs Stable Diffusion") == 4  # as there is none here


def test_what_is_known_of_a_picture_goes_with_it(host, photo):
    before, pp = len(script.INPUTS), Postprocessed(photo)
    script.remember(pp, {ENABLE: True, IS_SINGLE: True, TUNING: "x"})
    assert len(script.INPUTS) == before + 1
    del pp
    assert len(script.INPUTS) == before


class TestComparing:
    """What the page is told of its result."""

    @pytest.fixture(autouse=True)
    def kept(self, monkeypatch):
        befores = OriginalStore()
        monkeypatch.setattr(script, "BEFORES", befores)
        return befores

    @pytest.fixture
    def infotext(self, host, photo):
        pp = done(photo, {ENABLE: True, IS_SINGLE: True})
        return ", ".join(f"{key}: {as_hosts_quote(value)}" for key, value in pp.info.items())

    def test_the_result_is_compared_with_what_it_was(self, kept, infotext):
        shown = script.find_comparison(infotext, -1, 1, kept)
        assert shown.before.startswith("data:image/png")
        assert (shown.place, list(shown.faces)) == (0, [1, 2, 3, 4])

    def test_only_the_last_of_several_pictures_is_known_to_the_page(self, kept, infotext):
        assert script.find_comparison(infotext, 0, 3, kept).note.startswith("Only the last of several images")
        assert script.find_comparison(infotext, 2, 3, kept).place == 2

    def test_a_picture_that_is_not_kept_any_more_is_said(self, infotext):
        assert "no longer kept" in script.find_comparison(infotext, -1, 1, OriginalStore()).note

    def test_an_infotext_without_facefix_gives_no_picture(self, kept):
        assert script.find_comparison("Postprocess upscale by: 2", -1, 1, kept).before == ""
