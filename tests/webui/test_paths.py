"""Which files the settings of a pass may name, over the host's API and on its page."""

import json
import sys
from types import SimpleNamespace

import pytest

from lib_facefix.errors import BadModel, BadSetting
from lib_facefix.webui.passes.settings import PassSettings, changed_values

NAMED = [
    {"person": "{place}/ann.jpg"},
    {"restorer": "{place}/net.pth"},
    {"detector": "blazeface + {place}/net.onnx"},
    {"parser": "{place}/net.onnx"},
    {"occluder": "{place}/net.onnx"},
]


@pytest.fixture
def passes_of(host):
    """Return what reads the arguments of a run."""
    from lib_facefix.webui.script import _read_passes_once

    return lambda named, is_api: _read_passes_once(
        SimpleNamespace(is_api=is_api), [True, changed_values(PassSettings(**named))]
    )


@pytest.fixture(params=NAMED, ids=lambda named: next(iter(named)))
def named(request, tmp_path):
    return {name: value.format(place=tmp_path / "secret") for name, value in request.param.items()}


def test_a_client_of_the_api_may_name_no_file_of_the_machine(passes_of, named):
    with pytest.raises(BadSetting, match=r"pass 1: .*is outside the model folders.*--facefix-allowed-folders"):
        passes_of(named, True)


def test_a_client_may_name_files_of_allowed_folders(host, passes_of, named, tmp_path):
    host.cmd_opts.facefix_allowed_folders = [str(tmp_path)]
    assert len(passes_of(named, True)) == 1


@pytest.mark.parametrize("flag", ["listen", "share", "ngrok", "server_name", "hide_ui_dir_config"])
def test_a_page_that_others_can_reach_is_a_client_too(host, passes_of, named, flag):
    assert len(passes_of(named, False)) == 1  # the person at this machine
    setattr(host.cmd_opts, flag, "yes")
    with pytest.raises(BadSetting, match="pass 1"):
        passes_of(named, False)


def test_names_are_allowed_everywhere(host, passes_of):
    host.cmd_opts.listen = True
    assert len(passes_of({"detector": "centerface", "restorer": "lite"}, True)) == 1


def test_the_extras_tab_asks_the_same(host, tmp_path, named):
    from lib_facefix.webui.extras.face_overrides import SETTINGS, read_input

    named = {SETTINGS: json.dumps([named])}
    assert read_input(named, None).settings
    host.cmd_opts.share = True
    with pytest.raises(BadSetting, match="is outside the model folders"):
        read_input(named, None)


def test_a_bad_detector_is_blamed_before_the_run(host, tmp_path, monkeypatch):
    from lib_facefix.webui.script import _check

    for name, made in (("diffuser", "HostDiffuser"), ("progress", "HostProgress")):
        stub = SimpleNamespace(**{made: lambda *_: None})
        monkeypatch.setitem(sys.modules, f"lib_facefix.webui.host.{name}", stub)
    (tmp_path / "net.onnx").write_bytes(b"no net")
    with pytest.raises(BadModel, match=r"pass 2: .*net\.onnx"):
        _check(SimpleNamespace(), 2, PassSettings(detector=str(tmp_path / "net.onnx")))
