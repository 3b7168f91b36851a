"""Which restorer "auto" stands for, and how the acceptance of a licence is kept."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from lib_facefix.errors import BadSetting
from lib_facefix.facefix import FaceFix
from lib_facefix.models import restorer_choice, variants
from lib_facefix.models.restorer_choice import ORDER, choose_restorer, list_restricted
from lib_facefix.planning.planner import make_plan
from lib_facefix.registry import RESTORERS
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.settings.runtime import Runtime
from lib_facefix.weights import PUBLISHED, ModelPaths, licences, published
from lib_facefix.weights.licences import FILE, accept_licences, is_accepted

GFPGAN, PLUS = PUBLISHED["GFPGANv1.4.pth"], PUBLISHED["RestoreFormer++.ckpt"]
FREE, RESTRICTED = "restoreformer++", "gfpgan"


@pytest.fixture
def paths(tmp_path):
    return ModelPaths(tmp_path / "own", (tmp_path / "own", tmp_path / "shared"), cache=tmp_path / "cache")


@pytest.fixture
def packages(monkeypatch):
    """Install all packages that restorers need, but for those in the returned set."""
    missing = set()
    monkeypatch.setattr(variants, "find_spec", lambda name: None if name in missing else object())
    return missing


@pytest.fixture
def put(monkeypatch, paths):
    """Put weights of a restorer into the folder for downloads, as if they were the published file."""
    records = {one.name: one for one in PUBLISHED.values()}
    find = lambda name: next(one for one in records.values() if name in one.names)  # noqa: E731
    for module in (restorer_choice, variants, published):
        monkeypatch.setattr(module, "find_record", find)

    def put_file(name, damaged=False):
        record = records[RESTORERS[name].weights_name]
        content = name.encode()
        records[record.name] = replace(record, sha256=hashlib.sha256(content).hexdigest())
        paths.own.mkdir(exist_ok=True)
        (paths.own / record.name).write_bytes(b"damaged" if damaged else content)

    return put_file


def test_in_a_fresh_clone_it_is_the_built_in_one_with_a_line_on_how_to_get_more(paths):
    chosen = choose_restorer(paths)
    assert (chosen.name, chosen.label, chosen.blocked, chosen.obstacle) == ("lite", "Built-in", "", "")
    assert chosen.advice == "only the built-in restorer is installed; `facefix setup` shows better ones"


def test_of_several_it_is_the_first_of_the_order(paths, put, packages):
    accept_licences(PUBLISHED.values(), paths)
    for name in reversed(ORDER):
        put(name)
        assert choose_restorer(paths) == choose_restorer(paths)
        assert (choose_restorer(paths).name, choose_restorer(paths).advice) == (name, "")


def test_a_licence_that_allows_every_use_needs_no_acceptance_and_others_do(paths, put, packages):
    put(RESTRICTED)
    blocked = choose_restorer(paths)
    assert (blocked.name, blocked.blocked, blocked.obstacle) == ("lite", "gfpgan", "licence")
    assert blocked.advice == (
        "GFPGAN 1.4 is here, but you have not accepted its licence; `facefix setup gfpgan` shows it and asks"
    )
    assert choose_restorer(paths, ("codeformer",)) == blocked
    assert choose_restorer(paths, ("gfpgan",)).name == "gfpgan"
    put(FREE)
    assert choose_restorer(paths).name == FREE


def test_once_accepted_a_licence_stays_accepted_until_its_text_changes(paths, put, packages):
    put(RESTRICTED)
    accept_licences([GFPGAN, PLUS], paths)
    assert choose_restorer(paths).name == "gfpgan"
    [entry] = json.loads((paths.own / FILE).read_text("utf-8"))["accepted"]
    assert entry == {"file": "GFPGANv1.4.pth", "licence": GFPGAN.licence, "notice": GFPGAN.notice}
    assert is_accepted(PUBLISHED["GFPGANv1.3.pth"], paths)  # under the same terms
    assert not is_accepted(PUBLISHED["codeformer-v0.1.0.pth"], paths)
    assert not is_accepted(replace(GFPGAN, notice="Other terms."), paths)
    before = (paths.own / FILE).read_bytes()
    accept_licences([GFPGAN], paths)
    assert (paths.own / FILE).read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"version": 2, "accepted": []}', b'{"version": 1, "accepted": 3}', b'"' + b"x" * (1 << 20)],
)
def test_a_damaged_note_of_licences_accepts_nothing_and_is_replaced(paths, content):
    paths.own.mkdir()
    (paths.own / FILE).write_bytes(content)
    assert not is_accepted(GFPGAN, paths)
    accept_licences([GFPGAN], paths)
    assert is_accepted(GFPGAN, paths)


def test_an_acceptance_counts_in_every_models_folder(paths):
    shared = replace(paths, own=paths.folders[1])
    accept_licences([GFPGAN], shared)
    assert (shared.own / licences.FILE).is_file()
    assert not paths.own.exists()
    assert is_accepted(GFPGAN, paths)


def test_one_without_its_packages_is_passed_over(paths, put, packages):
    put(FREE)
    packages.add("spandrel")
    chosen = choose_restorer(paths)
    assert (chosen.name, chosen.blocked, chosen.obstacle) == ("lite", FREE, "packages")
    assert chosen.advice == (
        "RestoreFormer++ lacks the Python packages that it needs; `facefix setup restoreformer++` installs them"
    )


def test_a_damaged_file_is_passed_over_for_the_next_best(paths, put, packages):
    put(FREE, damaged=True)
    assert (choose_restorer(paths).name, choose_restorer(paths).obstacle) == ("lite", "file")
    put("restoreformer")
    assert choose_restorer(paths).name == "restoreformer"


def test_the_restorers_with_restricted_licences_are_named():
    assert list_restricted() == ("gfpgan", "codeformer", "gfpgan-1.3")
    with pytest.raises(
        BadSetting, match=r"Accepted licences must be names of restorers, not 'gfpgn'\. Did you mean 'g"
    ):
        Runtime(accept_licences="codeformer, gfpgn")
    assert Runtime(accept_licences=" gfpgan,codeformer ,").accepted_restorers == ("gfpgan", "codeformer")


@pytest.fixture
def picture():
    return np.full((300, 400, 3), 127, np.uint8)


def test_a_plan_names_the_restorer_and_the_settings_still_say_auto(picture, face_at, monkeypatch, tmp_path):
    engine = FaceFix(Runtime(models=str(tmp_path)))
    chosen, asked = restorer_choice.RestorerChoice("gfpgan"), []
    monkeypatch.setattr(type(engine.models), "choose_restorer", lambda _: asked.append(1) or chosen)
    settings = FaceSettings(method="restore")
    plan = make_plan(picture, [face_at(100, 150, size=60), face_at(300, 150, size=60)], settings)
    assert {job.treatment.restorer for job in plan.jobs} == {"auto"}

    own = {2: {"restorer": "built-in"}}
    settled = engine.replan(plan, settings, overrides=own)
    assert [job.treatment.restorer for job in settled.jobs] == ["gfpgan", "lite"]
    assert [face["parameters"]["restorer"] for face in settled.to_json()["faces"]] == ["gfpgan", "lite"]
    assert len(asked) == 1  # once a plan, not once a face
    assert settings.restorer == FaceSettings().restorer == "auto"
    assert settled.with_restorer(lambda: pytest.fail("asked")) is settled
