"""Restorers by the name of a file in a models folder, and nets that are published as two files."""

import hashlib
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import restorers_made as made
import yolo_made

from lib_facefix import FaceFix, Runtime
from lib_facefix.cli.__main__ import main
from lib_facefix.errors import RESTORER_PACKAGES, BadModel, BadSetting
from lib_facefix.models import variants
from lib_facefix.models.restorer_files import list_restorer_files
from lib_facefix.models.store import ModelStore
from lib_facefix.models.variants import choose_variant
from lib_facefix.registry import RESTORERS
from lib_facefix.server.allowed_paths import check_models
from lib_facefix.server.errors import Refusal
from lib_facefix.server.model_list import list_models
from lib_facefix.webui.config import choices
from lib_facefix.weights import PUBLISHED, locate_models


@pytest.fixture
def webui(tmp_path, away_from_home, monkeypatch):
    """A WebUI with files of every kind, and a current folder without any."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    folders = [tmp_path / "webui" / "models" / name for name in ("facerestore_models", "facefix")]
    for folder in folders:
        folder.mkdir(parents=True)
    (folders[0] / "GPEN-BFR-512.onnx").write_bytes(made.restorer())
    (folders[0] / "Own.ONNX").write_bytes(made.restorer(side=1024))
    (folders[0] / "damaged.onnx").write_bytes(b"no model")
    (folders[0] / "gfpgan_1.4.onnx").write_bytes(made.restorer())
    (folders[1] / "yolo.onnx").write_bytes(yolo_made.yolo_onnx((640, 640), []))
    (folders[1] / "GPEN-BFR-512.onnx").write_bytes(made.restorer(side=256))
    (folders[1] / "net.pth").write_bytes(b"weights")
    return tmp_path / "webui"


@pytest.fixture
def models(webui):
    return ModelStore(Runtime(webui=str(webui)))


def test_restorers_in_the_folders_of_a_webui_are_listed_by_name_and_nothing_else(models, webui):
    found = list_restorer_files(models.paths)
    folders = webui / "models"  # of two files with one name, the first counts
    assert found == (folders / "facefix" / "GPEN-BFR-512.onnx", folders / "facerestore_models" / "Own.ONNX")


def test_every_front_end_lists_them(models, webui, capsys, monkeypatch):
    told = list_models(FaceFix(models=models))["restorers"]
    assert [one["name"] for one in told if one["here"]][-2:] == ["GPEN-BFR-512.onnx", "Own.ONNX"]

    monkeypatch.setitem(
        __import__("sys").modules,
        "lib_facefix.webui.config.engine",
        SimpleNamespace(find_model_paths=lambda: models.paths),
    )
    assert choices.host_list("restorers") == ["GPEN-BFR-512.onnx", "Own.ONNX"]

    assert main(["models", "--json", "--webui", str(webui)]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["models"]}
    assert rows["Own.ONNX"]["kind"] == "restorer"
    assert rows["Own.ONNX"]["where"] == str(webui / "models" / "facerestore_models" / "Own.ONNX")
    assert rows["gfpgan"]["kind"] == "restorer"
    assert "gfpgan_1.4.onnx" not in rows, "it is the file of a registered restorer"


def test_a_name_without_a_folder_is_looked_for_in_the_models_folders(models, tmp_path):
    assert models.load(RESTORERS, "GPEN-BFR-512.onnx").framing(None).size == 256
    models.check(RESTORERS, "GPEN-BFR-512.onnx")
    (tmp_path / "here" / "GPEN-BFR-512.onnx").write_bytes(made.restorer(side=2048, restored="any"))
    assert models.load(RESTORERS, "./GPEN-BFR-512.onnx").framing(None).size == 2048
    assert models.load(RESTORERS, "GPEN-BFR-512.onnx").framing(None).size == 2048, "the current folder comes first"


def test_a_name_that_is_nowhere_is_told_before_any_work(models):
    with pytest.raises(BadSetting, match=r"nowhere\.onnx does not exist"):
        models.check(RESTORERS, "nowhere.onnx")
    with pytest.raises(BadModel, match=r"damaged\.onnx is not an ONNX file"):
        models.check(RESTORERS, "damaged.onnx")


def test_a_server_allows_names_in_its_models_folders_and_no_file_of_its_current_folder(models, tmp_path):
    engine = FaceFix(models=models)
    check_models({"restorer": "GPEN-BFR-512.onnx"}, engine, [])
    for named in ("nowhere.onnx", "/etc/net.onnx", "../net.onnx"):
        with pytest.raises(Refusal):
            check_models({"restorer": named}, engine, [])
    own = tmp_path / "here" / "GPEN-BFR-512.onnx"
    own.write_bytes(made.restorer())
    with pytest.raises(Refusal):
        check_models({"restorer": "GPEN-BFR-512.onnx"}, engine, [])
    check_models({"restorer": str(own)}, engine, [tmp_path / "here"])


TORCH, ONNX = "GFPGANv1.4.pth", "gfpgan_1.4.onnx"
PYTORCH = " ".join(RESTORER_PACKAGES)


@pytest.mark.parametrize(
    ("packages", "files", "chosen"),
    [
        pytest.param(f"{PYTORCH} onnxruntime", (TORCH, ONNX), TORCH, id="both: PyTorch's, as its authors run it"),
        pytest.param(f"{PYTORCH} onnxruntime", (ONNX,), ONNX, id="both packages, but only the ONNX file is here"),
        pytest.param(f"{PYTORCH} onnxruntime", (), TORCH, id="both packages and no file"),
        pytest.param("onnxruntime", (), ONNX, id="only ONNX Runtime"),
        pytest.param("onnxruntime", (TORCH,), ONNX, id="a file that nothing here can run"),
        pytest.param("torch onnxruntime", (), ONNX, id="PyTorch without spandrel"),
        pytest.param(PYTORCH, (ONNX,), TORCH, id="only PyTorch"),
        pytest.param("", (ONNX,), ONNX, id="no package: the file that is here"),
        pytest.param("", (), TORCH, id="nothing at all"),
    ],
)
def test_the_file_of_a_net_is_chosen_by_what_is_here(tmp_path, away_from_home, monkeypatch, packages, files, chosen):
    monkeypatch.setattr(variants, "find_spec", lambda name: name if name in packages.split() else None)
    monkeypatch.setattr(variants, "find_installed", lambda record: None)
    for name in files:
        (tmp_path / name).write_bytes(b"weights")
    paths = locate_models([tmp_path])
    assert choose_variant(RESTORERS["gfpgan"], paths).weights_name == chosen
    assert choose_variant(RESTORERS["gfpgan-1.3"], paths).weights_name == "GFPGANv1.3.pth"
    assert choose_variant(RESTORERS["lite"], paths) is RESTORERS["lite"]


def test_gfpgan_needs_no_pytorch_where_onnx_runtime_is_installed(tmp_path, away_from_home, monkeypatch, capsys):
    """What `facefix models` shows, `models get` downloads, and the store loads, is the ONNX file."""
    content = made.restorer()
    record = replace(PUBLISHED[ONNX], sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    known = {**PUBLISHED, ONNX: record}
    monkeypatch.setattr(variants, "find_spec", lambda name: name if name == "onnxruntime" else None)
    for place in ("lib_facefix.models.store", "lib_facefix.models.variants"):
        monkeypatch.setattr(f"{place}.find_record", lambda name: known[name])
    monkeypatch.setattr("lib_facefix.cli.models_get.PUBLISHED", known)
    fetched = []

    def fetch(file, paths, **_):
        fetched.append(file.name)
        path = paths.own / file.name
        path.write_bytes(content)
        return path

    monkeypatch.setattr("lib_facefix.cli.models_get.download", fetch)
    assert main(["models", "get", "gfpgan", "--models", str(tmp_path), "--yes"]) == 0
    assert fetched == [ONNX]
    capsys.readouterr()

    assert main(["models", "--json", "--models", str(tmp_path)]) == 0
    [row] = [row for row in json.loads(capsys.readouterr().out)["models"] if row["name"] == "gfpgan"]
    assert (row["state"], row["where"]) == ("found", str(tmp_path / ONNX))

    restorer = ModelStore(Runtime(models=str(tmp_path))).load(RESTORERS, "gfpgan")
    assert restorer._runner._engine.endswith(f" fp32, {ONNX}")
