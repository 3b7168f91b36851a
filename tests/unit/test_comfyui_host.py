"""What the pack takes from ComfyUI, with a stand-in for it: model folders, progress, interruption."""

import importlib.util
import os
import sys
import types
from pathlib import Path

import pytest

from lib_facefix.errors import MissingPackage


class Interrupted(Exception):
    pass


class Bar:
    """ComfyUI's progress bar."""

    shown: list = []  # noqa: RUF012 the test's view of all bars

    def __init__(self, total):
        self.total = total

    def update_absolute(self, value, total, preview=None):
        Bar.shown.append((value / total, preview))


@pytest.fixture
def comfy(monkeypatch, tmp_path):
    """A stand-in for ComfyUI with its models in tmp_path, and one more folder of upscalers."""

    def interrupt():
        if state.interrupted:
            raise Interrupted

    Bar.shown = []
    state = types.SimpleNamespace(interrupted=False, models=tmp_path / "models")
    folders = {"upscale_models": ([str(tmp_path / "more")], {".pth"})}
    modules = {
        "folder_paths": types.SimpleNamespace(models_dir=str(state.models), folder_names_and_paths=folders),
        "latent_preview": types.SimpleNamespace(get_previewer=lambda device, form: state.previewer),
        "comfy": types.ModuleType("comfy"),
        "comfy.utils": types.SimpleNamespace(ProgressBar=Bar),
        "comfy.model_management": types.SimpleNamespace(
            throw_exception_if_processing_interrupted=interrupt,
            get_torch_device=lambda: types.SimpleNamespace(type="cpu"),
        ),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(modules["comfy"], "model_management", modules["comfy.model_management"], raising=False)
    monkeypatch.delitem(sys.modules, "lib_facefix.comfyui.host", raising=False)
    yield state
    sys.modules.pop("lib_facefix.comfyui.host", None)


def put(path, data=b"weights"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def test_the_models_of_comfyui_are_listed_by_name(comfy, away_from_home, tmp_path):
    from lib_facefix.comfyui.host import list_files

    mine = put(comfy.models / "facerestore_models" / "mine.pth")
    put(comfy.models / "facerestore_models" / "GFPGANv1.4.pth")  # has a name of its own in the menu
    put(comfy.models / "facerestore_models" / "notes.txt")
    put(comfy.models / "facefix" / "mine.pth")  # the first of two counts
    deep = put(tmp_path / "more" / "photos" / "x2.safetensors")
    parser = put(comfy.models / "facedetection" / "faces.onnx")
    files = list_files()
    assert files["restorer"] == {"mine.pth": mine}
    assert files["upscaler"] == {"mine.pth": str(comfy.models / "facefix" / "mine.pth"), "photos/x2.safetensors": deep}
    assert files["parser"]["faces.onnx"] == parser
    assert files["detector"] == {}


def test_of_onnx_files_restorers_alone_are_listed_as_such(comfy, away_from_home):
    made = pytest.importorskip("restorers_made")
    from lib_facefix.comfyui.host import list_files

    facefusion = comfy.models / "facefusion"
    mine = put(facefusion / "sharp.onnx", made.restorer())
    deep = put(comfy.models / "facerestore_models" / "faces" / "GPEN-BFR-512.onnx", made.restorer())
    other = put(facefusion / "restoreformer_plus_plus.onnx", made.restorer())  # not the published one, by its size
    put(facefusion / "xseg_1.onnx", b"no graph")
    put(facefusion / "small.onnx", made.restorer(side=512, restored=200))
    assert list_files()["restorer"] == {
        "faces/GPEN-BFR-512.onnx": deep, "sharp.onnx": mine, "restoreformer_plus_plus.onnx": other
    }  # fmt: skip


def test_missing_folders_are_no_obstacle(comfy, away_from_home):
    from lib_facefix.comfyui.host import list_files

    assert set(map(len, list_files().values())) == {0}


def test_faces_are_fixed_where_comfyui_runs(comfy, away_from_home, tmp_path):
    from lib_facefix.comfyui.host import get_engine, read_runtime

    (tmp_path / "more").mkdir()
    (comfy.models / "ultralytics").mkdir(parents=True)
    runtime = read_runtime()
    assert runtime.device == "cpu"
    assert runtime.models.split(os.pathsep) == [str(comfy.models / "facefix"), str(tmp_path / "more")]
    assert runtime.yolo == str(comfy.models / "ultralytics")
    assert get_engine() is get_engine()  # its models stay loaded
    assert get_engine().models.paths.own == comfy.models / "facefix"


def test_a_missing_opencv_is_said_with_the_command_that_installs_it(comfy, monkeypatch):
    from lib_facefix.comfyui.host import get_engine

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackage) as error:
        get_engine()
    assert f'"{sys.executable}" -m pip install opencv-python-headless' in str(error.value)
    assert error.value.package == "cv2"


def test_a_missing_opencv_is_a_sentence_and_a_present_one_is_not(comfy, monkeypatch):
    from lib_facefix.comfyui.host import explain_missing_opencv

    assert explain_missing_opencv() == ""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert explain_missing_opencv().startswith("FaceFix needs the Python package 'cv2', which is not installed. Ins")


def test_versions_of_files_tell_a_change(comfy, tmp_path):
    from lib_facefix.comfyui.host import file_versions

    path = put(tmp_path / "mine.pth")
    files = {"restorer": {"mine.pth": path}, "upscaler": {}}
    [first] = file_versions({"restorer": "mine.pth", "upscaler": "lanczos"}, files)
    assert first[0] == path
    Path(path).write_bytes(b"other weights")
    assert list(file_versions({"restorer": "mine.pth"}, files)) != [first]
    assert list(file_versions({"restorer": "built-in"}, files)) == []


def test_the_bar_shows_faces_and_the_steps_within_a_run(comfy):
    from lib_facefix.comfyui.host import HostProgress

    comfy.previewer = types.SimpleNamespace(decode_latent_to_preview_image=lambda form, latent: (form, latent))
    progress = HostProgress()
    progress.expect(4)
    progress.step(1, 4, "face 1 fixed")
    show = progress.start_run(
        types.SimpleNamespace(load_device="cpu", model=types.SimpleNamespace(latent_format=1)), [1, 2]
    )
    show(0, "latent", None, 2)
    show(1, "latent", None, 2)
    assert Bar.shown == [(0, None), (0.25, None), (0.5, ("JPEG", "latent")), (0.75, ("JPEG", "latent"))]


def test_an_interruption_ends_the_work_with_comfyuis_own_exception(comfy):
    from lib_facefix.comfyui.host import HostProgress

    progress = HostProgress()
    assert progress.should_stop() is False
    comfy.interrupted = True
    for act in (progress.should_stop, lambda: progress.step(0, 1, "")):
        with pytest.raises(Interrupted):
            act()
