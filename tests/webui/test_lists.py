"""The names that a host offers, read from stand-ins for two kinds of host."""

import sys
from types import ModuleType, SimpleNamespace
from unittest.mock import Mock

import pytest

from lib_facefix.errors import BadSetting
from lib_facefix.settings.options import options
from lib_facefix.settings.sampling import Sampling
from lib_facefix.webui.config.choices import LISTS, check_choices, host_list, is_known_choice, refresh_host_lists
from lib_facefix.webui.passes.settings import OFFERED
from lib_facefix.webui.ui.controls import MISSING
from lib_facefix.weights import locate_models


@pytest.fixture
def host(monkeypatch):
    """A host with these modules and no others; `host(options=…, sd_vae=…)`."""

    def make(options=(), **modules):
        for name in [name for name in sys.modules if name.split(".")[0] in ("modules", "modules_forge")]:
            monkeypatch.delitem(sys.modules, name)
        modules = {f"modules.{name}": facts for name, facts in modules.items()}
        modules["modules.shared"] = {"opts": SimpleNamespace(data_labels=dict.fromkeys(options))}
        modules["modules_forge.main_entry"] = modules.pop("modules.main_entry", {})
        for name, facts in {"modules": {}, "modules_forge": {}, **modules}.items():
            module = ModuleType(name)
            module.__path__ = []  # a package with nothing else in it
            vars(module).update(facts)
            monkeypatch.setitem(sys.modules, name, module)

    return make


def named(*names):
    return [SimpleNamespace(name=name, label=name) for name in names]


def test_every_list_that_a_setting_names_can_be_read():
    named = {name for _, known in OFFERED for name in (known.host, known.found) if name}
    assert {*named, MISSING} == set(LISTS)


def test_samplers_hidden_by_the_user_are_not_listed_but_known(host):
    host(sd_samplers={"visible_sampler_names": lambda: ["Euler"], "all_samplers_map": {"Euler": 1, "Heun": 2}})
    assert host_list("samplers") == ["Euler"]
    assert [is_known_choice("samplers", name) for name in ("Euler", "Heun", "Oiler")] == [True, True, False]


def test_a_sampler_that_the_host_lacks_is_refused_with_those_it_has(host):
    host(sd_samplers={"visible_sampler_names": lambda: ["Euler", "Heun"], "all_samplers_map": {}})
    check_choices(Sampling(sampler="Heun"), options(Sampling))
    check_choices(Sampling(), options(Sampling))  # blank: that of the image
    with pytest.raises(BadSetting, match=r"^Sampling method 'Oiler' is not available\. Available: Euler, Heun$"):
        check_choices(Sampling(sampler="Oiler"), options(Sampling))


def test_schedulers_are_listed_where_there_are_any(host):
    host(sd_schedulers={"schedulers": named("Karras")})
    assert host_list("schedulers") == ["Karras"]
    host()
    assert host_list("schedulers") == []


def test_checkpoints_are_listed_by_file_name_and_known_by_title(host):
    title = "a.safetensors [0123456789]"
    host(sd_models={"checkpoints_list": {title: named("a.safetensors")[0]}, "checkpoint_aliases": {title: 1}})
    assert host_list("checkpoints") == ["a.safetensors"]
    assert [is_known_choice("checkpoints", name) for name in (title, "a.safetensors", "b")] == [True, True, False]


def test_vaes_are_those_that_the_host_would_take(host):
    host(sd_vae={"vae_dict": {"soft.pt": "/models/soft.pt"}})
    assert host_list("vaes") == ["Automatic", "None", "soft.pt"]
    assert is_known_choice("vaes", "soft.pt")
    host(options=["forge_additional_modules"], main_entry={"module_list": {"ae.safetensors": "/models/ae"}})
    assert host_list("vaes") == ["ae.safetensors"]


def test_model_files_are_listed_as_an_expression_names_them_and_looked_for_each_time(
    monkeypatch, tmp_path, away_from_home
):
    engine = ModuleType("lib_facefix.webui.config.engine")
    engine.find_model_paths = lambda: locate_models([tmp_path], yolo=[tmp_path / "yolo"])
    monkeypatch.setitem(sys.modules, "lib_facefix.webui.config.engine", engine)
    assert host_list("detectors") == []
    (tmp_path / "yolo").mkdir()
    for name in ("face_yolov8n.pt", "drawn + real.onnx"):
        (tmp_path / "yolo" / name).write_bytes(b"a model")
    assert host_list("detectors") == ['"drawn + real.onnx"', "face_yolov8n.pt"]


def test_refreshing_looks_for_both_kinds_of_file(host):
    models, vaes, both = Mock(), Mock(), Mock()
    host(sd_models={"list_models": models}, sd_vae={"refresh_vae_list": vaes})
    refresh_host_lists()
    assert (models.call_count, vaes.call_count) == (1, 1)
    host(options=["forge_additional_modules"], main_entry={"refresh_models": both})
    refresh_host_lists()
    assert both.call_count == 1
