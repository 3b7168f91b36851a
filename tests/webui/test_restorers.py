"""Our restorers as the host's "Restore faces" calls them, and the engine behind them."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_facefix import FaceFix, FaceSettings, Runtime
from lib_facefix.models.yolo_files import yolo_files
from lib_facefix.registry import DETECTORS
from lib_facefix.webui import restorers
from lib_facefix.webui.config import engine
from lib_facefix.webui.config.engine import get_engine, read_runtime
from lib_facefix.weights.download import is_offline

GROUP = Path(__file__).parents[2] / "examples" / "group.jpg"


@pytest.fixture
def ours(host, away_from_home):
    """Register, and return ours by name."""
    restorers.add_restorers()
    return {one.name(): one for one in host.face_restorers if one.name().startswith("FaceFix")}


@pytest.fixture(scope="module")
def group():
    """Part of a group photo, made half as large."""
    return np.asarray(Image.open(GROUP).convert("RGB").reduce(2))


def test_the_restorers_made_for_faces_are_offered_beside_the_hosts_own(host, ours):
    assert [one.name() for one in host.face_restorers] == [
        "CodeFormer",
        "GFPGAN",
        "FaceFix built-in",
        "FaceFix GFPGAN 1.4",
        "FaceFix GFPGAN 1.3",
        "FaceFix CodeFormer",
        "FaceFix RestoreFormer",
        "FaceFix RestoreFormer++",
        "FaceFix GPEN 256",
        "FaceFix GPEN 512",
        "FaceFix GPEN 1024",
        "FaceFix GPEN 2048",
    ]


def test_reloading_the_ui_adds_none_a_second_time(host, ours):
    before = list(host.face_restorers)
    restorers.add_restorers()
    assert host.face_restorers == before


@pytest.mark.parametrize(
    ("chosen", "now"),
    [("FaceFix lite", "FaceFix built-in"), ("FaceFix GFPGAN 1.4", "FaceFix GFPGAN 1.4"), (None, None)],
)
def test_the_built_in_one_stays_chosen_under_its_new_name(host, chosen, now):
    host.opts.data["face_restoration_model"] = chosen
    restorers.add_restorers()
    assert host.opts.data["face_restoration_model"] == now


def test_they_are_what_the_host_takes_for_a_restorer(host, ours):
    base = sys.modules["modules.face_restoration"].FaceRestoration
    assert all(isinstance(one, base) for one in ours.values())


def test_restoring_gives_what_the_library_gives(host, ours, group):
    host.opts.data["facefix_fidelity"] = 0.2
    before = group.copy()
    restored = ours["FaceFix built-in"].restore(group)

    [expected] = FaceFix().fix([group], FaceSettings(method="restore", fidelity=0.2))
    assert expected.changed
    assert (restored.dtype, restored.shape) == (np.uint8, group.shape)
    assert np.array_equal(restored, expected.image)
    assert np.array_equal(group, before)


def test_without_a_face_the_picture_comes_back_itself_and_the_console_says_why(ours, capsys):
    leaves = np.full((64, 64, 3), 90, np.uint8)
    assert ours["FaceFix built-in"].restore(leaves) is leaves
    assert capsys.readouterr().out == "FaceFix built-in: no face found; the image is unchanged.\n"


def test_without_weights_the_picture_comes_back_itself_and_the_console_says_where_they_belong(
    host, ours, group, capsys
):
    assert ours["FaceFix GFPGAN 1.4"].restore(group) is group
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "GFPGANv1.4.pth" in said
    assert str(host.models / "facefix") in said
    assert "press Download" in said
    assert str(restorers.take_failure()) in said
    assert restorers.take_failure() is None


def test_what_succeeds_leaves_no_failure_behind(host, ours, group):
    ours["FaceFix GFPGAN 1.4"].restore(group)
    ours["FaceFix built-in"].restore(group)
    assert restorers.take_failure() is None


class Run:
    """What the host knows of a run of two images with "Restore faces"."""

    restore_faces, batch_size, batch_index = True, 2, 0

    def __init__(self):
        self.extra_generation_params, self.comments = {"Clip skip": 2}, []

    def comment(self, sentence):
        self.comments.append(sentence)


def test_the_infotext_does_not_claim_a_restoration_that_failed(host, ours, group):
    from lib_facefix.webui import script

    host.opts.face_restoration_model, p = "FaceFix GFPGAN 1.4", Run()
    script.report_restoration(p)
    assert (p.extra_generation_params, p.comments) == ({"Clip skip": 2}, [])
    ours["FaceFix GFPGAN 1.4"].restore(group)
    script.report_restoration(p)
    [sentence] = p.comments
    assert sentence.startswith("FaceFix: Restore faces changed nothing: GFPGAN 1.4 is not installed.")
    assert p.extra_generation_params["Face restoration"] == [None, "FaceFix GFPGAN 1.4"]
    why, other = p.extra_generation_params["Face restoration failed"]
    assert (why, other) == ("GFPGAN 1.4 is not installed.", None)
    script.report_restoration(p)  # the next batch, in which it works
    assert p.extra_generation_params["Face restoration"] == ["FaceFix GFPGAN 1.4"] * 2
    assert p.extra_generation_params["Face restoration failed"] == [None, None]


def test_an_error_nobody_foresaw_does_not_cost_the_host_its_picture(host, ours, monkeypatch):
    monkeypatch.setattr(engine, "get_engine", lambda: 1 / 0)
    picture = np.zeros((8, 8, 3), np.uint8)
    assert ours["FaceFix built-in"].restore(picture) is picture
    host.report.assert_called_once_with("FaceFix built-in failed; the image is unchanged.", exc_info=True)


@pytest.mark.parametrize(
    ("device", "wanted", "goes"), [("cuda", True, True), ("cuda", False, False), ("cpu", True, False)]
)
def test_the_hosts_wish_that_restorers_leave_graphics_memory_is_heeded(host, ours, monkeypatch, device, wanted, goes):
    host.opts.face_restoration_unload, host.device = wanted, device
    gone = []
    monkeypatch.setattr(FaceFix, "unload", lambda _: gone.append(1))
    ours["FaceFix built-in"].restore(np.zeros((64, 64, 3), np.uint8))
    assert bool(gone) == goes


def test_there_is_one_engine_until_a_setting_changes(host):
    first = get_engine()
    assert get_engine() is first
    host.opts.data["facefix_keep"] = 1
    second = get_engine()
    assert second is not first
    assert get_engine() is second


def test_unloading_lets_go_of_models_and_keeps_the_engine(host, group):
    first = get_engine()
    detector = first.models.load(DETECTORS, "blazeface")
    first.unload()
    assert get_engine() is first
    assert first.models.load(DETECTORS, "blazeface") is not detector


def test_weights_are_looked_for_in_our_folder_first_and_in_the_hosts_models(host):
    host.opts.data |= {"facefix_engine": "torch", "facefix_precision": "fast", "facefix_keep": 3}
    assert read_runtime() == Runtime(
        engine="torch",
        precision="fast",
        device="auto",
        models=str(host.models / "facefix"),
        webui=str(host.models),
        keep=3,
    )


@pytest.mark.parametrize("folder", ["GFPGAN", "gfpgan", "facefix"])
def test_the_hosts_own_weights_are_found(host, away_from_home, folder):
    lying = host.models / folder / "GFPGANv1.4.pth"
    lying.parent.mkdir(parents=True)
    lying.write_bytes(b"weights")
    assert get_engine().models.paths.find("GFPGANv1.4.pth") == lying


def test_folders_named_by_flags_come_before_the_hosts_models(host, tmp_path):
    host.cmd_opts.facefix_models_dir = str(tmp_path / "mine")
    host.cmd_opts.gfpgan_models_path = str(tmp_path / "elsewhere")
    assert read_runtime().models.split(os.pathsep) == [str(tmp_path / "mine"), str(tmp_path / "elsewhere")]


def test_folders_of_adetailers_setting_are_looked_into_where_adetailer_is_there(host, away_from_home, tmp_path):
    more = tmp_path / "my models" / "faces" / "face.pt"
    more.parent.mkdir(parents=True)
    more.write_bytes(b"a model")
    host.opts.data["ad_extra_models_dir"] = f" {tmp_path / 'my models'} ||{tmp_path / 'gone'}"
    assert yolo_files(get_engine().models.paths) == ()
    host.opts.data_labels["ad_extra_models_dir"] = "ADetailer's"
    saved = dict(host.opts.data)
    assert yolo_files(get_engine().models.paths) == (more,)
    assert read_runtime().yolo.split(os.pathsep) == [str(tmp_path / "my models"), str(tmp_path / "gone")]
    del host.opts.data["ad_extra_models_dir"]  # as it is until somebody sets it
    assert read_runtime().yolo == ""
    assert host.opts.data == {name: value for name, value in saved.items() if name != "ad_extra_models_dir"}


def test_a_host_that_did_not_read_our_flags_is_served_all_the_same(host):
    for name in ("facefix_models_dir", "facefix_offline", "facefix_device"):
        delattr(host.cmd_opts, name)
    assert get_engine().models.paths.own == host.models / "facefix"


@pytest.mark.parametrize(
    ("page", "flag", "device", "expected"),
    [
        ("auto", "auto", "cuda", "auto"),
        ("auto", "cpu", "cuda", "cpu"),
        ("auto", "auto", "cpu", "cpu"),
        ("auto", "auto", "mps", "auto"),
        ("auto", "auto", "cuda:1", "auto:1"),
        ("auto", "cuda:0", "cuda:1", "cuda:0"),
        ("directml", "cpu", "cuda", "directml"),
        ("nonsense", "auto", "cpu", "cpu"),
    ],
)
def test_the_device_is_that_of_the_page_of_the_flag_or_of_the_host(host, page, flag, device, expected):
    host.opts.data["facefix_device"] = page
    host.cmd_opts.facefix_device, host.device = flag, device
    assert read_runtime().device == expected


def test_the_offline_flag_forbids_every_download(host, monkeypatch):
    monkeypatch.setenv("FACEFIX_OFFLINE", "")
    get_engine()
    assert not is_offline()
    host.cmd_opts.facefix_offline = True
    get_engine()
    assert is_offline()
