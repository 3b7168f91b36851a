"""`facefix fix` with restorers and upscalers that have weights; nothing here reaches the network or needs PyTorch."""

import json
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from packages_here import needs_torch
from PIL import Image as Pil

from lib_facefix import Box, Face
from lib_facefix.cli import __main__ as command
from lib_facefix.cli import fix_images, models_get
from lib_facefix.errors import CannotFetch
from lib_facefix.imaging.align import FFHQ_512
from lib_facefix.registry import DETECTORS, LANDMARKERS, ModelInfo
from lib_facefix.weights.download import download


class OneFace:
    def detect(self, image, min_score):
        landmarks = (FFHQ_512 - 256) * (80 / 256) + (100, 70)
        return (Face(Box(60, 30, 140, 110), 0.9, landmarks),)


class SeesNoMesh:
    def locate(self, image, face):
        return face


class Whitener:
    """A net that answers with white."""

    def __init__(self, path, cache, engine, precision, machine):
        self.spec = SimpleNamespace(low=-1.0, high=1.0, size=512, side=512, fused=False)
        self.scale = 2
        self.engine = f"{path.name} on {engine} {precision} {machine}"

    def each(self, crops, blob_of, w):
        for crop in crops:
            yield np.ones_like(blob_of(crop)), self.engine

    def __call__(self, blob):
        return np.ones((1, 3, blob.shape[2] * 2, blob.shape[3] * 2), np.float32), self.engine


@pytest.fixture(autouse=True)
def alone(away_from_home, monkeypatch):
    """Fakes for what finds faces and what runs nets; no package, no folder of this machine, no network, no terminal."""
    parts = {DETECTORS["auto"]: OneFace, LANDMARKERS["facemesh"]: SeesNoMesh}
    real = ModelInfo.load
    monkeypatch.setattr(ModelInfo, "load", lambda info: parts.get(info) or real(info))
    engines = SimpleNamespace(load_runner=Whitener, this_machine=lambda device: device)
    monkeypatch.setitem(sys.modules, "lib_facefix.engines", engines)
    monkeypatch.setattr(models_get, "download", lambda *_, **__: pytest.fail("reached for the network"))


@pytest.fixture
def photo(tmp_path):
    noise = np.random.default_rng(3).integers(0, 256, (140, 200, 3), np.uint8)
    Pil.fromarray(cv2.GaussianBlur(noise, (0, 0), 6)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def own(tmp_path):
    """A model file of the user's own."""
    (tmp_path / "own.pth").write_bytes(b"weights")
    return tmp_path / "own.pth"


def run(*arguments):
    return command.main([str(argument) for argument in arguments])


def pixels(path):
    with Pil.open(path) as picture:
        return np.array(picture.convert("RGB"))


@needs_torch
@pytest.mark.parametrize("flags", [["--restorer", "gfpgan"], ["--face", "1:restorer=gfpgan"]], ids=" ".join)
def test_without_weights_and_without_a_terminal_the_way_out_is_told(photo, tmp_path, capsys, flags):
    assert run("fix", photo, "-o", tmp_path / "out.png", *flags) == 2
    told = capsys.readouterr().err
    assert "GFPGANv1.4.pth: 349 MB from" in told
    assert "licence:" in told
    assert "downloads need your consent; use `--yes`, or run `facefix models get`" in told
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("mask", "file"),
    [("ellipse - parsing:hair", "parsing_bisenet.pth: 53 MB"), ("ellipse - occluders", "xseg_1.onnx: 70 MB")],
)
def test_a_mask_without_weights_is_asked_for_before_any_picture_is_written(photo, tmp_path, capsys, mask, file):
    pytest.importorskip("torch")  # without it, another face parser would be asked for
    assert run("fix", photo, "-o", tmp_path / "out.png", "--mask", mask) == 2
    told = capsys.readouterr().err
    assert f"{file} from github.com" in told
    assert "downloads need your consent" in told
    assert not (tmp_path / "out.png").exists()


def test_a_face_parser_that_is_no_file_is_told_before_any_picture_is_written(photo, tmp_path, capsys):
    flags = ["--mask", "parsing", "--parser", tmp_path / "nowhere.onnx"]
    assert run("fix", photo, "-o", tmp_path / "out.png", *flags) == 2
    assert "nowhere.onnx cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


@needs_torch
def test_an_upscaler_without_weights_is_asked_for_only_where_something_is_enlarged(photo, own, tmp_path, capsys):
    flags = ["-o", tmp_path / "out.png", "--restorer", own, "--upscaler", "x4plus"]
    assert run("fix", photo, *flags) == 0
    assert run("fix", photo, *flags, "--upscale", "2") == 2
    assert "RealESRGAN_x4plus.pth" in capsys.readouterr().err


def test_a_dry_run_asks_for_no_weights(photo, capsys):
    assert run("fix", photo, "--restorer", "gfpgan", "--dry-run") == 0
    assert "1: 80 px, restore" in capsys.readouterr().out


@needs_torch
@pytest.mark.parametrize("way", ["flag", "variable"])
def test_offline_is_a_failure_with_a_sentence_and_nobody_is_asked(photo, tmp_path, monkeypatch, capsys, way):

    monkeypatch.setattr(models_get, "download", download)  # the real one, which is to refuse
    flags = ["--offline"] if way == "flag" else []
    if way == "variable":
        monkeypatch.setenv("FACEFIX_OFFLINE", "1")
    assert run("fix", photo, "-o", tmp_path / "out.png", "--restorer", "codeformer", *flags) == 1
    told = capsys.readouterr().err
    assert "codeformer-v0.1.0.pth is not installed, and downloads are turned off" in told
    assert "consent" not in told


@needs_torch
def test_what_cannot_be_fetched_is_a_failure_not_wrong_use(photo, monkeypatch, capsys):
    def fetch(*_, **__):
        raise CannotFetch("GFPGANv1.4.pth could not be had: no way")

    monkeypatch.setattr(models_get, "download", fetch)
    assert run("fix", photo, "--restorer", "gfpgan", "--yes") == 1
    assert capsys.readouterr().err.endswith("facefix: GFPGANv1.4.pth could not be had: no way\n")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (
            ["--restorer", "nonsense"],
            "Restorer must be one of auto, built-in, gfpgan, gfpgan-1.3, codeformer, restoreformer,",
        ),
        (["--restorer", "nonsense"], "or the path of a file (.pth, .pt, .ckpt, .safetensors, .onnx); not 'nonsense'"),
        (["--upscale", "2", "--upscaler", "nonsense"], "Upscaler must be one of lanczos, x4plus,"),
        (["--engine", "tensorrt"], "Backend must be one of auto, torch,"),
        (["--precision", "fp16"], "Precision must be one of exact, fast; not 'fp16'"),
        (["--device", "tpu"], "Device must be one of auto, cpu"),
        (["--keep", "0"], "Model cache size must be at least 1"),
    ],
)
def test_what_is_not_on_offer_is_answered_with_what_is(photo, tmp_path, capsys, flags, told):
    assert run("fix", photo, "-o", tmp_path / "out.png", *flags) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_a_model_of_ones_own_restores_and_the_report_says_what_ran_it(photo, own, tmp_path):
    report, flags = tmp_path / "r.json", ["--engine", "onnxruntime", "--precision", "fast", "--device", "cpu"]
    out = tmp_path / "out.png"
    assert run("fix", photo, "-o", out, "--restorer", own, "--no-match-colour", "--report", report, *flags) == 0
    [picture] = json.loads(report.read_text())["pictures"]
    [face] = picture["faces"]
    assert (face["outcome"], face["engine"]) == ("fixed", "own.pth on onnxruntime fast cpu")
    assert face["parameters"]["restorer"] == str(own)
    assert pixels(out)[70, 100].min() > 220  # white, at fidelity 0.6
    assert (pixels(out)[:, :10] == pixels(photo)[:, :10]).all()


def test_a_model_of_ones_own_enlarges_and_the_report_says_what_ran_it(photo, own, tmp_path):
    report, out = tmp_path / "r.json", tmp_path / "out.png"
    flags = ["--upscale", "2", "--upscaler", own, "--method", "leave", "--report", report]
    assert run("fix", photo, "-o", out, *flags) == 0
    [picture] = json.loads(report.read_text())["pictures"]
    assert picture["upscale"] == {"size": [400, 280], "upscaler": str(own), "engine": "own.pth on auto exact auto"}
    assert (pixels(out) == 255).all()


@pytest.mark.parametrize("flags", [["--restorer"], ["--upscale", "2", "--upscaler"]], ids=" ".join)
def test_a_path_that_leads_nowhere_is_refused_before_any_picture_is_written(photo, tmp_path, capsys, flags):
    assert run("fix", photo, "-o", tmp_path / "out.png", *flags, tmp_path / "gone.pth") == 2
    assert f"{tmp_path / 'gone.pth'} does not exist. Give the path of a model" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_an_upscaler_that_has_nothing_to_do_is_told(photo, tmp_path, capsys):
    assert run("fix", photo, "-o", tmp_path / "out.png", "--upscaler", "lanczos", "--method", "leave") == 0
    assert "--upscaler has no effect without --upscale" in capsys.readouterr().err


@pytest.fixture
def plan(photo, tmp_path):
    """Make a plan and change it."""

    def make(change):
        path = tmp_path / "p.json"
        assert run("plan", photo, "-o", path, "--upscale", "2") == 0
        content = json.loads(path.read_text())
        change(content["pictures"][0])
        path.write_text(json.dumps(content))
        return path

    return make


def test_a_plan_that_names_an_unknown_restorer_is_refused_with_what_is_on_offer(plan, tmp_path, capsys):
    path = plan(lambda picture: picture["faces"][0]["parameters"].update(restorer="nonsense"))
    assert run("fix", "--plan", path, "-o", tmp_path / "out.png") == 2
    assert "Restorer must be one of auto, built-in, gfpgan" in capsys.readouterr().err


def test_a_plan_that_names_an_unknown_upscaler_is_refused_with_what_is_on_offer(plan, tmp_path, capsys):
    path = plan(lambda picture: picture["upscale"].update(upscaler="nonsense"))
    assert run("fix", "--plan", path, "-o", tmp_path / "out.png") == 2
    assert "Unknown upscaler 'nonsense'. Choose from: lanczos, x4plus" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


@needs_torch
def test_a_plan_asks_for_the_weights_that_it_names(plan, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(fix_images, "ask_to_fetch", lambda one, *_, **__: asked.append(one.name))

    def change(picture):
        picture["faces"][0]["parameters"]["restorer"] = "restoreformer"
        picture["upscale"]["upscaler"] = "x2plus"

    run("fix", "--plan", plan(change), "-o", tmp_path / "out.png")
    assert asked == ["RestoreFormer.pth", "RealESRGAN_x2plus.pth"]
