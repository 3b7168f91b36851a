"""What every engine keeps: `describe`, `prepare`, `replan` of `FaceFix`, and what work needs of them."""

from dataclasses import replace

import pytest
from packages_here import needs_torch

from lib_facefix import FaceFix, FaceSettings, FixPlan
from lib_facefix.errors import BadModel, BadSetting, FaceFixError, MissingDiffuser
from lib_facefix.planning.needs import Needs
from lib_facefix.planning.planner import make_plan
from lib_facefix.protocols import EngineInfo
from lib_facefix.registry import RESTORERS, UPSCALERS
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.settings.options import options

ANOTHER = {
    "detector": "centerface", "min_score": 0.3, "angles": "all", "landmarker": "2d106", "person": "ann.jpg",
    "max_detections": 9, "gender": "male", "min_age": 3, "max_age": 90,
}  # fmt: skip


@pytest.fixture
def engine():
    return FaceFix()


@pytest.fixture
def plan(picture, face_at):
    return make_plan(picture, [face_at(200, 200, size=40), face_at(400, 200, size=90)], FaceSettings(method="leave"))


def test_it_says_where_the_work_is_done_and_what_can_be_done(engine):
    told = EngineInfo("this machine", rediffuses=False, loads_models=True)
    assert replace(engine.describe(), restorer="", advice="") == told
    assert engine.with_diffuser(None).describe().rediffuses


def test_work_by_settings_needs_the_models_of_all_faces():
    needs = Needs.of_settings(
        FaceSettings(upscale="2", upscaler="x4plus"), {2: {"restorer": "gfpgan"}, 3: {"method": "re-diffuse"}}
    )
    assert (needs.restorers, needs.upscalers, needs.rediffuses) == ({"auto", "gfpgan"}, {"x4plus"}, True)
    assert Needs.of_settings(FaceSettings(upscaler="x4plus")).upscalers == frozenset()
    assert Needs.of_settings(FaceSettings(method="re-diffuse", restorer="gfpgan")).restorers == frozenset()


def test_a_plan_needs_the_models_of_the_faces_that_it_restores(plan):
    [one, other] = plan.jobs
    jobs = (replace(one, decision="restore"), replace(other, treatment=other.treatment.but({"restorer": "gfpgan"})))
    needs = Needs.of_plans([replace(plan, jobs=jobs, upscaled=(9, 9)), plan])
    assert (needs.restorers, needs.upscalers, needs.rediffuses) == ({"auto"}, {"lanczos"}, False)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"restorer": "gone.pth"}, "gone.pth does not exist. Give the path of a model"),
        ({"upscale": "2", "upscaler": "gone.pth"}, "gone.pth does not exist. Give the path of a model"),
    ],
)
def test_a_model_that_is_nowhere_is_refused_and_nothing_is_loaded(engine, monkeypatch, settings, sentence):
    monkeypatch.setattr(type(engine.models), "load", lambda *_: pytest.fail("loaded"))
    engine.prepare(Needs.of_settings(FaceSettings(restorer="gfpgan")))
    with pytest.raises(BadSetting, match=sentence):
        engine.prepare(Needs.of_settings(FaceSettings(**settings)))


@pytest.mark.parametrize(("catalog", "kind"), [(RESTORERS, "restorers"), (UPSCALERS, "upscalers")])
def test_a_name_that_no_catalogue_has_is_refused(engine, plan, catalog, kind):
    [job, _] = plan.jobs
    named = replace(job, decision="restore", treatment=job.treatment.but({"restorer": "a.pth"}))
    object.__setattr__(named.treatment, "restorer", "no-such" if kind == "restorers" else "lite")
    needs = Needs.of_plans([replace(plan, jobs=(named,), upscaled=(9, 9), upscaler="no-such")])
    with pytest.raises(BadSetting, match=f"Unknown {catalog.kind} 'no-such'. Choose from: {catalog.names()[0]}"):
        engine.prepare(needs)


def test_re_diffusing_is_refused_where_nothing_does_it(engine):
    needs = Needs.of_settings(FaceSettings(method="re-diffuse"))
    with pytest.raises(MissingDiffuser):
        engine.prepare(needs)
    engine.with_diffuser(None).prepare(needs)


@needs_torch
def test_what_is_missing_is_fetched_and_what_does_not_come_is_refused(engine, away_from_home):
    asked = []
    with pytest.raises(FaceFixError) as refused:
        engine.prepare(
            Needs.of_settings(FaceSettings(restorer="gfpgan")), lambda one, shelf: asked.append((one.name, shelf.own))
        )
    assert asked == [(RESTORERS["gfpgan"].weights_name, engine.models.paths.own)]
    assert isinstance(refused.value, BadModel)


def test_a_plan_with_other_settings_is_that_of_the_picture(engine, picture, plan):
    settings, overrides = FaceSettings(fidelity=0.9, at_most=1, restorer="lite"), {1: {"mask": "box"}}
    faces = [job.face for job in plan.jobs]
    usual = make_plan(picture, faces, FaceSettings(restorer="lite"))
    assert engine.replan(plan).to_json() == usual.to_json()
    again = engine.replan(FixPlan.from_json(plan.to_json()), settings, overrides=overrides)
    assert again.to_json() == make_plan(picture, faces, settings, overrides).to_json()


def test_auto_re_diffuses_in_it_only_where_something_does(engine, plan):
    for planner, decision in ((engine, "restore"), (engine.with_diffuser(None), "re-diffuse")):
        assert planner.replan(plan, origin=GenerationParams("a crowd")).jobs[0].decision == decision


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"gender": "male"}, "the plan has no gender and age of these faces. Detect the faces again"),
        ({"person": "ann.jpg"}, "these faces were not compared with the reference photo. Detect the faces again"),
    ],
)
def test_faces_are_not_chosen_by_what_nobody_looked_at(engine, plan, settings, sentence):
    with pytest.raises(BadSetting, match=f"^{sentence}$"):
        engine.replan(plan, FaceSettings(**settings))


def test_the_settings_that_find_are_those_that_change_what_was_found():
    finding = {field.name for field, known in options(FaceSettings) if known.finds}
    assert finding == set(ANOTHER)
    found = FaceSettings().detection_settings
    assert all(FaceSettings(**{name: value}).detection_settings != found for name, value in ANOTHER.items())
