"""Which model is loaded from where, when; the engines are fakes, so nothing here needs PyTorch."""

import hashlib
import os
import sys
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
from packages_here import needs_torch

from lib_facefix.errors import BadModel, BadSetting, MissingPackage
from lib_facefix.fixers.onnx_net import from_published
from lib_facefix.fixers.restore import Restorer
from lib_facefix.models import store as module
from lib_facefix.models.store import ModelStore
from lib_facefix.registry import DETECTORS, GUESSERS, PARSERS, RESTORERS, UPSCALERS, ModelInfo, Registry
from lib_facefix.settings.runtime import Runtime
from lib_facefix.upscalers.net import NetUpscaler
from lib_facefix.weights import PUBLISHED, packaged

GFPGAN = b"the weights of GFPGAN"


@dataclass
class FakeRunner:
    path: object
    cache: object
    engine: str
    precision: str
    machine: object
    scale: int = 4
    spec = SimpleNamespace(side=512)


@pytest.fixture
def loaded(monkeypatch):
    """Fake engines; the list of what they have loaded."""
    made = []

    def load_runner(*arguments):
        made.append(FakeRunner(*arguments))
        return made[-1]

    fake = SimpleNamespace(load_runner=load_runner, this_machine=lambda device: device)
    monkeypatch.setitem(sys.modules, "lib_facefix.engines", fake)
    return made


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of models, and nothing else of this machine."""
    for name in ("FACEFIX_MODELS", "FACEFIX_WEBUI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_DATA_HOME", "LOCALAPPDATA", "FACEFIX_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setattr(packaged, "find_installed", lambda record: None)
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture
def models(folder, loaded):
    return ModelStore(Runtime(models=str(folder)))


@pytest.fixture
def gfpgan(folder, monkeypatch):
    """A file that is published as GFPGAN's."""
    record = replace(PUBLISHED["GFPGANv1.4.pth"], sha256=hashlib.sha256(GFPGAN).hexdigest(), bytes=len(GFPGAN))
    monkeypatch.setattr(module, "find_record", lambda name: record)
    path = folder / "GFPGANv1.4.pth"
    path.write_bytes(GFPGAN)
    return path


def test_published_weights_are_found_checked_and_loaded_with_what_the_runtime_says(folder, loaded, gfpgan, tmp_path):
    models = ModelStore(Runtime(models=str(folder), engine="openvino", precision="fast", device="cpu"))
    restorer = models.load(RESTORERS, "gfpgan")
    assert type(restorer) is Restorer
    assert loaded == [FakeRunner(gfpgan, tmp_path / "home", "openvino", "fast", "cpu")]


def test_what_is_loaded_stays_loaded(models, loaded, gfpgan):
    assert models.load(RESTORERS, "gfpgan") is models.load(RESTORERS, "gfpgan")
    assert len(loaded) == 1


def test_the_weights_are_checked_when_they_are_loaded_and_not_for_every_face(models, gfpgan, monkeypatch):
    checks = []
    monkeypatch.setattr(module, "verify_file", lambda *arguments: checks.append(arguments))
    for _ in range(5):
        models.load(RESTORERS, "gfpgan")
    assert len(checks) == 1


def test_a_file_that_changed_is_loaded_anew(models, folder, loaded):
    path = folder / "own.pth"
    path.write_bytes(b"one")
    first = models.load(RESTORERS, str(path))
    os.utime(path, ns=(1, 1))
    assert models.load(RESTORERS, str(path)) is not first
    assert len(loaded) == 2


def test_published_weights_that_change_while_loaded_are_checked_again(models, gfpgan):
    models.load(RESTORERS, "gfpgan")
    gfpgan.write_bytes(b"somebody else's weights")
    with pytest.raises(BadModel, match=r"is not the published GFPGANv1\.4\.pth"):
        models.load(RESTORERS, "gfpgan")


def test_weights_that_are_not_here_are_told_with_the_command_that_gets_them(models, folder, loaded):
    said = (
        r"GFPGAN 1\.4 needs GFPGANv1\.4\.pth, which is not installed\. Get it with `facefix models get gfpgan`, "
        r"or download it from https://\S+/GFPGANv1\.4\.pth to \S+models\."
    )
    with pytest.raises(BadModel, match=said):
        models.load(RESTORERS, "gfpgan")
    assert loaded == []


def test_weights_with_a_wrong_hash_are_refused_before_they_are_read(models, folder, loaded):
    (folder / "GFPGANv1.4.pth").write_bytes(GFPGAN)
    with pytest.raises(BadModel, match=r"is not the published GFPGANv1\.4\.pth, or it is damaged: its SHA-256 is"):
        models.load(RESTORERS, "gfpgan")
    assert loaded == []


def test_a_file_of_ones_own_is_taken_by_its_path_whatever_its_hash(models, folder, loaded):
    path = folder / "own.safetensors"
    path.write_bytes(b"anything")
    assert type(models.load(RESTORERS, str(path))) is Restorer
    assert type(models.load(UPSCALERS, str(path))) is NetUpscaler
    assert [runner.path for runner in loaded] == [path, path]


def test_a_published_file_given_by_its_path_is_taken_as_ones_own(models, folder, loaded):
    path = folder / "GFPGANv1.4.pth"
    path.write_bytes(b"trained further")
    models.load(RESTORERS, str(path))
    with pytest.raises(BadModel, match="is not the published"):
        models.load(RESTORERS, "gfpgan")


def test_a_path_that_leads_nowhere_is_told(models, folder):
    with pytest.raises(BadModel, match=r"own\.pth cannot be read"):
        models.load(RESTORERS, str(folder / "own.pth"))


@pytest.mark.parametrize("registry", [RESTORERS, UPSCALERS], ids=lambda registry: registry.kind)
def test_an_unknown_name_is_answered_with_what_is_on_offer(models, registry):
    with pytest.raises(BadSetting, match=f"Unknown {registry.kind} 'nonsense'. Choose from: l.*x4plus"):
        models.load(registry, "nonsense")


def test_a_kind_of_model_that_takes_no_files_says_what_is_on_offer(models):
    with pytest.raises(BadSetting, match=r"Unknown mask 'own\.pth'. Choose from: hull"):
        models.load(Registry("mask", ModelInfo("hull", "Hull", "a:b")), "own.pth")


def test_beyond_the_limit_the_net_used_longest_ago_is_let_go(folder, loaded):
    models = ModelStore(Runtime(models=str(folder), keep=1))
    paths = [folder / name for name in ("a.pth", "b.pth")]
    for path in paths:
        path.write_bytes(b"net")
    for path in (*paths, paths[0], paths[0]):
        models.load(RESTORERS, str(path))
    assert [runner.path.name for runner in loaded] == ["a.pth", "b.pth", "a.pth"]


def test_unload_lets_all_go(models, loaded, gfpgan):
    net, mask = models.load(RESTORERS, "gfpgan"), models.load(UPSCALERS, "lanczos")
    models.unload()
    assert models.load(RESTORERS, "gfpgan") is not net
    assert models.load(UPSCALERS, "lanczos") is not mask
    assert len(loaded) == 2


def test_what_needs_no_weights_is_made_without_engines(models, loaded):
    assert models.load(UPSCALERS, "lanczos") is models.load(UPSCALERS, "lanczos")
    assert loaded == []


@needs_torch
def test_missing_names_each_published_file_once(models, folder):
    (folder / "GFPGANv1.4.pth").write_bytes(GFPGAN)
    wanted = models.missing(
        [(RESTORERS, name) for name in ("gfpgan", "codeformer", "x4plus", "lite", "/some/own.pth")]
        + [(UPSCALERS, name) for name in ("x4plus", "lanczos")]
    )
    assert [one.name for one in wanted] == ["codeformer-v0.1.0.pth", "RealESRGAN_x4plus.pth"]


def test_without_pytorch_the_missing_package_is_named(folder, gfpgan, monkeypatch):
    monkeypatch.delitem(sys.modules, "lib_facefix.engines", raising=False)
    for name in [name for name in sys.modules if name.startswith(("lib_facefix.engines.", "lib_facefix.nets"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("lib_facefix.models.variants.find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match=r"GFPGAN 1\.4 needs the Python package 'torch'"):
        ModelStore(Runtime(models=str(folder))).load(RESTORERS, "gfpgan")


@pytest.mark.parametrize(
    ("registry", "name"),
    [(RESTORERS, info.name) for info in RESTORERS if info.weights_name]
    + [(UPSCALERS, info.name) for info in UPSCALERS if info.weights_name],
)
def test_every_published_net_has_an_adapter_that_needs_no_package_to_be_imported(registry, name, monkeypatch):
    for package in ("torch", "onnxruntime"):
        monkeypatch.setitem(sys.modules, package, None)
    for one in registry[name].variants:
        assert one.load() in (Restorer, NetUpscaler, from_published)
        assert one.weights_name in PUBLISHED


def test_weights_are_looked_for_in_several_folders_and_in_the_hosts(folder, loaded, gfpgan, tmp_path):
    webui = tmp_path / "webui"
    (webui / "models" / "GFPGAN").mkdir(parents=True)
    gfpgan.rename(webui / "models" / "GFPGAN" / gfpgan.name)
    models = ModelStore(Runtime(models=os.pathsep.join((str(tmp_path / "empty"), str(folder))), webui=str(webui)))
    models.load(RESTORERS, "gfpgan")
    assert loaded[0].path == webui / "models" / "GFPGAN" / gfpgan.name
    assert models.paths.folders[:2] == (tmp_path / "empty", folder)


@dataclass
class FakeParser:
    path: object
    device: str


@pytest.fixture
def parsers(monkeypatch, folder):
    """Face parsers that only remember what they were made with, and the records that their files have here."""
    records = {}

    def write(name, text="parser"):
        (folder / name).write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        records[name] = replace(PUBLISHED[name], sha256=digest)
        return folder / name

    monkeypatch.setattr(module, "find_record", lambda name: records.get(name) or PUBLISHED[name])
    monkeypatch.setattr(ModelInfo, "load", lambda info: FakeParser)
    return write


@needs_torch
@pytest.mark.parametrize(
    ("here", "taken"),
    [
        pytest.param(["parsing_parsenet.pth"], "parsing_parsenet.pth", id="the only one"),
        pytest.param(
            ["parsing_parsenet.pth", "face_parsing_resnet18.onnx"], "face_parsing_resnet18.onnx", id="quicker"
        ),
    ],
)
def test_auto_is_the_first_face_parser_that_is_here(here, taken, models, loaded, parsers, monkeypatch):
    fake = SimpleNamespace(this_machine=lambda device: SimpleNamespace(accelerator="cuda"))
    monkeypatch.setitem(sys.modules, "lib_facefix.engines", fake)
    for name in here:
        parsers(name)
    parser = models.load(PARSERS, "auto")
    assert (parser.path.name, str(parser.device)) == (taken, "auto" if taken.endswith(".onnx") else "cuda")
    assert models.load(PARSERS, "auto") is parser


def test_auto_passes_over_a_face_parser_that_this_installation_cannot_run(models, parsers, monkeypatch):
    parsers("parsing_bisenet.pth")
    parsers("face_parsing_resnet18.onnx")
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    assert models.load(PARSERS, "auto").path.name == "face_parsing_resnet18.onnx"


def test_a_face_parser_of_the_users_own_is_taken_by_its_path_and_again_when_it_has_changed(models, tmp_path, parsers):
    own = tmp_path / "mine.onnx"
    own.write_text("one")
    first = models.load(PARSERS, str(own))
    assert first.path == own
    own.write_text("another")
    assert models.load(PARSERS, str(own)) is not first


@needs_torch
@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param(
            "auto", "BiSeNet .* needs parsing_bisenet.pth, which is not installed. Get it with", id="none is here"
        ),
        pytest.param("parsenet", "ParseNet .* needs parsing_parsenet.pth, which is not installed", id="not the one"),
        pytest.param("nowhere.onnx", "nowhere.onnx cannot be read", id="no such file"),
    ],
)
def test_a_face_parser_that_is_not_here_is_told(name, said, models):
    with pytest.raises(BadModel, match=said):
        models.load(PARSERS, name)


def test_a_face_parser_that_is_not_what_was_published_is_refused(models, folder):
    (folder / "face_parsing_resnet18.onnx").write_text("something else")
    with pytest.raises(BadModel, match="is not the published face_parsing"):
        models.load(PARSERS, "bisenet-onnx")


def test_a_file_taken_by_its_path_is_not_trusted_by_its_name(models, folder, parsers, monkeypatch):
    (folder / "face_parsing_resnet18.onnx").write_text("something else")
    models.load(PARSERS, str(folder / "face_parsing_resnet18.onnx"))
    with pytest.raises(BadModel, match="is not the published face_parsing"):
        models.load(PARSERS, "bisenet-onnx")


def test_reference_persons_are_known_until_all_is_unloaded(models):
    first = models.load_person("ann", object)
    assert models.load_person("ann", object) is first
    models.unload()
    assert models.load_person("ann", object) is not first


def test_unloading_one_store_leaves_the_models_of_another(folder, loaded, gfpgan):
    one, other = (ModelStore(Runtime(models=str(folder))) for _ in range(2))
    first, second = (store.load(RESTORERS, "gfpgan") for store in (one, other))
    assert first is not second
    one.unload()
    assert other.load(RESTORERS, "gfpgan") is second
    assert len(loaded) == 2


@pytest.mark.parametrize("may_fetch", [False, True])
@pytest.mark.parametrize(
    ("registry", "name", "said"),
    [
        (RESTORERS, "nonsense", "Unknown restorer 'nonsense'. Choose from: lite, gfpgan"),
        (UPSCALERS, "auto", "Unknown upscaler 'auto'"),
        (DETECTORS, "net.onnx", r"Unknown detector 'net\.onnx'. Choose from: auto, blazeface"),
        (UPSCALERS, "nowhere.pth", r"nowhere\.pth does not exist"),
        (PARSERS, "nowhere.onnx", r"nowhere\.onnx does not exist"),
    ],
)
def test_what_is_neither_on_offer_nor_a_file_is_refused(models, registry, name, said, may_fetch):
    with pytest.raises(BadSetting, match=said):
        models.check(registry, name, may_fetch=may_fetch)


@needs_torch
@pytest.mark.parametrize(
    ("registry", "name", "said"),
    [
        (RESTORERS, "gfpgan", r"GFPGAN 1\.4 needs GFPGANv1\.4\.pth, which is not installed"),
        (PARSERS, "auto", "needs parsing_bisenet.pth, which is not installed"),
        (GUESSERS, "genderage", r"needs genderage\.onnx from https.*, which is not installed"),
    ],
)
def test_what_a_name_stands_for_may_be_missing_only_where_it_can_be_got(models, monkeypatch, registry, name, said):
    monkeypatch.setattr("lib_facefix.registry.model_info.find_spec", lambda package: package)
    monkeypatch.setattr(module, "find_installed", lambda record: None)
    with pytest.raises(BadModel, match=said):
        models.check(registry, name)
    models.check(registry, name, may_fetch=True)


@needs_torch
def test_checking_loads_nothing(models, loaded, folder, gfpgan):
    (folder / "own.pth").write_bytes(b"anything")
    for name in ("lite", "gfpgan", str(folder / "own.pth")):
        models.check(RESTORERS, name)
    assert loaded == []
