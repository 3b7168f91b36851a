import importlib.util
import json
import sys
from dataclasses import dataclass, fields

import pytest

from lib_facefix.errors import BadSetting, MissingPackage
from lib_facefix.registry import DETECTORS, REGISTRIES, RESTORERS, ModelInfo, Registry
from lib_facefix.settings.face_prompt import read_numbers
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.settings.options import KINDS, check_all, option, options, schema
from lib_facefix.settings.treatment import AUTO_FEATHER, METHODS, Treatment

BOTH = pytest.mark.parametrize("kind", [Treatment, FaceSettings], ids=lambda kind: kind.__name__)


@BOTH
def test_every_field_is_declared_as_an_option_with_a_label(kind):
    assert [field.name for field, _ in options(kind)] == [field.name for field in fields(kind)]
    assert all(known.label and known.group for _, known in options(kind))


@BOTH
def test_no_two_settings_share_a_label(kind):
    labels = [known.label for _, known in options(kind)]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        pytest.param({"fidelity": 1.5}, "Fidelity must be between 0 and 1, not 1.5", id="too high"),
        pytest.param({"fidelity": -0.1}, "Fidelity must be between 0 and 1, not -0.1", id="too low"),
        pytest.param({"min_size": -1}, "Minimum face size must be at least 0, not -1", id="no upper end"),
        pytest.param({"fidelity": float("nan")}, "Fidelity must be a finite number, not nan", id="not a number"),
        pytest.param({"fidelity": float("inf")}, "Fidelity must be a finite number, not inf", id="infinite"),
        pytest.param({"fidelity": "0.5"}, "Fidelity must be a finite number, not '0.5'", id="text for a number"),
        pytest.param({"fidelity": True}, "Fidelity must be a finite number, not True", id="true for a number"),
        pytest.param({"fidelity": None}, "Fidelity must be a finite number, not None", id="nothing"),
        pytest.param(
            {"min_size": True}, "Minimum face size must be a whole number, not True", id="true for an integer"
        ),
        pytest.param({"min_size": 3.0}, "Minimum face size must be a whole number, not 3.0", id="float for an integer"),
        pytest.param({"match_colour": 1}, "Match colour must be true or false, not 1", id="1 for true"),
        pytest.param({"method": "fix"}, "one of auto, re-diffuse, restore, leave; not 'fix'", id="no such choice"),
        pytest.param({"restorer": "GPT"}, "Restorer must be one of auto, built-in.*; not 'GPT'", id="no such model"),
        pytest.param({"faces": "1-"}, "look like", id="a grammar of its own"),
        pytest.param({"min_size": 9, "max_size": 8}, r"Maximum face size \(8 px\) is below", id="sizes crossed"),
        pytest.param({"min_share": 0.5, "max_share": 0.4}, r"Maximum face area \(0.4\) is below", id="shares crossed"),
        pytest.param({"upscale": "much"}, 'a factor from 1 to 8 such as "2"', id="no upscale"),
        pytest.param({"upscaler": "magic"}, "Upscaler must be one of lanczos, x4plus", id="no such upscaler"),
        pytest.param({"denoise": 1}, "unknown setting 'denoise'. Available: denoising_strength, prompt", id="unknown"),
    ],
)
def test_a_bad_value_says_what_would_do(bad, said):
    with pytest.raises(BadSetting, match=said):
        FaceSettings.from_json(bad)


def test_a_gigantic_number_is_a_bad_setting():
    with pytest.raises(BadSetting):
        FaceSettings(fidelity=10**400)


@pytest.mark.parametrize("good", [{"fidelity": 1}, {"min_size": 9}, {"min_size": 9, "max_size": 9}, {}], ids=str)
def test_a_good_value_is_taken(good):
    settings = FaceSettings.from_json(good)
    assert {name: getattr(settings, name) for name in good} == good


def test_the_schema_says_which_settings_only_one_method_looks_at():
    only = {name: told.get("x-only") for name, told in schema(FaceSettings)["properties"].items()}
    assert set(only.values()) <= {None, *METHODS}
    assert (only["fidelity"], only["denoising_strength"], only["visibility"]) == ("restore", "re-diffuse", None)


@BOTH
def test_the_schema_is_json_and_agrees_with_the_defaults(kind):
    described = json.loads(json.dumps(schema(kind), allow_nan=False))
    assert described["additionalProperties"] is False
    assert set(described["properties"]) == {field.name for field in fields(kind)}
    types = {"boolean": bool, "integer": int, "number": (int, float), "string": str}
    for name, told in described["properties"].items():
        assert told["title"], name
        assert told["default"] == getattr(kind(), name)
        assert isinstance(told["default"], types[told["type"]])
        assert told.get("minimum", told["default"]) <= told["default"] <= told.get("maximum", told["default"])
        assert told["default"] in told.get("enum", [told["default"]])
    assert set(types) == set(KINDS.values())


def test_a_class_of_ones_own_can_declare_options():
    @dataclass(frozen=True)
    class Tea:
        sugar: int = option(1, "Sugar", low=0, high=3)

    check_all(Tea(sugar=3))
    with pytest.raises(BadSetting, match="Sugar must be between 0 and 3, not 4"):
        check_all(Tea(sugar=4))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", set()),
        ("  ", set()),
        ("2", {2}),
        ("1,3-4", {1, 3, 4}),
        (" 4 - 6 , 1,, ", {1, 4, 5, 6}),
        ("3-3,3", {3}),
        ("9999", {9999}),
    ],
)
def test_face_numbers_are_read(text, numbers):
    assert read_numbers(text) == numbers


@pytest.mark.parametrize("text", ["0", "-1", "3-1", "a", "1;2", "1.5", "1-2-3", "1-", "0-4", "99999", "1 2", "²"])
def test_what_are_no_face_numbers_is_refused(text):
    with pytest.raises(BadSetting, match="1,3-4"):
        read_numbers(text)


def test_but_changes_some_settings_of_one_face_and_no_other():
    plain = Treatment(mask="box")
    changed = plain.but({"fidelity": 0.9})
    assert (changed.fidelity, changed.mask) == (0.9, "box")
    assert plain == Treatment(mask="box")


@pytest.mark.parametrize("bad", [{"min_score": 0.5}, {"fidelty": 0.5}], ids=["not of one face", "misspelt"])
def test_but_refuses_what_is_no_setting_of_one_face(bad):
    with pytest.raises(BadSetting, match="unknown setting"):
        Treatment().but(bad)


def test_of_one_face_drops_what_concerns_the_whole_picture():
    one = FaceSettings(fidelity=0.3, min_score=0.9).face_treatment()
    assert type(one) is Treatment
    assert one == Treatment(fidelity=0.3)


@pytest.mark.parametrize(("given", "feather"), [(-1.0, AUTO_FEATHER), (-0.5, AUTO_FEATHER), (0.0, 0.0), (0.4, 0.4)])
def test_a_feather_below_0_is_automatic(given, feather):
    assert Treatment(mask_feather=given).feather == feather


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_every_model_of_a_registry_leads_to_a_class(registry):
    here = [info for info in registry if not info.package or importlib.util.find_spec(info.package)]
    made = [getattr(target := info.load(), "func", target) for info in here]  # a class, or a partial of one
    assert all(one.__module__.split(".")[0] == "lib_facefix" for one in made)
    assert all(registry[name].name == name for name in registry.names())


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(BadSetting, match=r"Unknown detector 'YOLO9'\. Choose from: auto, blazeface"):
        DETECTORS["YOLO9"]
    assert "lite" in RESTORERS.names()


def test_a_missing_package_is_named_with_its_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "a_package", None)
    info = ModelInfo("new", "New", "a_package:Thing", package="a_package")
    with pytest.raises(MissingPackage, match=r"new needs .*'a_package'.*`pip install a_package`"):
        Registry("thing", info)["new"].load()


def test_a_package_missing_by_mistake_is_not_blamed_on_the_user(monkeypatch):
    monkeypatch.setitem(sys.modules, "another", None)
    with pytest.raises(ModuleNotFoundError) as raised:
        ModelInfo("new", "New", "another:Thing", package="a_package").load()
    assert not isinstance(raised.value, MissingPackage)


def test_people_may_write_built_in_and_the_settings_say_lite():
    given = FaceSettings.from_json({"restorer": "built-in"})
    assert (given.restorer, given) == ("lite", FaceSettings(restorer="lite"))
    gfpgan = FaceSettings(restorer="gfpgan").face_treatment()
    assert (gfpgan.restorer, gfpgan.but({"restorer": "built-in"}).restorer) == ("gfpgan", "lite")
    with pytest.raises(BadSetting, match=r"Restorer must be text, not \['built-in'\]"):
        FaceSettings.from_json({"restorer": ["built-in"]})
