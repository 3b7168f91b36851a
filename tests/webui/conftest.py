"""A WebUI reduced to what our settings page, engine and restorers ask of it."""

import importlib
import sys
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock, Mock

import pytest
from toolkit import gradio as gradio
from toolkit import on_page as on_page


class OptionInfo:
    """As the hosts have it, keeping what it is told."""

    def __init__(self, default, label, component, component_args, section):
        self.default, self.label, self.section = default, label, section
        self.component, self.component_args = component, component_args
        self.told, self.waits_for = "", None

    def info(self, text):
        self.told = text
        return self

    def needs_reload_ui(self):
        self.waits_for = "reload"
        return self

    def needs_restart(self):
        self.waits_for = "restart"
        return self


class Options:
    """`data` holds what was saved; what was never saved is not in it."""

    face_restoration_unload = False
    initial_noise_multiplier = 1.0

    def __init__(self):
        self.data, self.data_labels = {}, {}

    def add_option(self, key, info):
        self.data_labels[key] = info


class FaceRestoration:
    """The host's base class."""

    def name(self):
        return "None"

    def restore(self, np_image):
        return np_image


class Builtin(FaceRestoration):
    def __init__(self, name):
        self._name = name

    def name(self):
        return self._name


def as_device(text):
    """Return what torch.device makes of "cuda:1"."""
    kind, _, number = text.partition(":")
    return SimpleNamespace(type=kind, index=int(number) if number else None)


@pytest.fixture
def host(monkeypatch, tmp_path):
    """The fake host, its `modules` importable: `opts`, `cmd_opts`, `face_restorers`, `device`, `report`, `models`."""
    fake = SimpleNamespace(
        opts=Options(),
        cmd_opts=SimpleNamespace(facefix_models_dir=None, facefix_offline=False, facefix_device="auto"),
        face_restorers=[Builtin("CodeFormer"), Builtin("GFPGAN")],
        device="cuda",
        report=Mock(),
        models=tmp_path / "models",
    )
    shared = {name: getattr(fake, name) for name in ("opts", "cmd_opts", "face_restorers")}
    modules = {
        "modules": {},
        "modules.shared": {**shared, "OptionInfo": OptionInfo},
        "modules.devices": {"get_device_for": lambda task: as_device(fake.device)},
        "modules.errors": {"report": fake.report},
        "modules.face_restoration": {"FaceRestoration": FaceRestoration},
        "modules.paths_internal": {"models_path": str(fake.models)},
        "gradio": {name: name for name in ("Checkbox", "CheckboxGroup", "Radio", "Number", "Slider", "Textbox")},
    }
    for name, members in modules.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
        if "." in name:
            setattr(sys.modules["modules"], name.split(".")[1], module)
    return fake


SAMPLING_MODULES = (
    *("devices", "errors", "images", "processing", "prompt_parser", "script_callbacks", "scripts", "sd_models"),
    "shared",
)
SAMPLING_ROOMS = ("compat", "images", "latents", "img2img")


@pytest.fixture
def on_modules(monkeypatch):
    """Import a room of `webui.host` that samples, on mocks of the host's modules, which are its `modules`."""
    modules = ModuleType("modules")
    monkeypatch.setitem(sys.modules, "modules", modules)
    for name in SAMPLING_MODULES:
        setattr(modules, name, MagicMock(name=name))
        monkeypatch.setitem(sys.modules, f"modules.{name}", getattr(modules, name))
    modules.scripts.ScriptRunner = modules.processing.StableDiffusionProcessingImg2Img = object
    modules.processing.DecodedSamples, modules.processing.opt_f = list, 8
    ours = [f"lib_facefix.webui.host.{name}" for name in SAMPLING_ROOMS]
    for name in ours:
        monkeypatch.delitem(sys.modules, name, raising=False)

    def import_room(name):
        return importlib.import_module(f"lib_facefix.webui.host.{name}")

    import_room.modules = modules
    yield import_room
    for name in ours:
        sys.modules.pop(name, None)  # they know the mocks
