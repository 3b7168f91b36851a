"""Models that edit images: what the host keeps as references around a sampling run for faces."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import pytest

from lib_facefix.errors import BadCrop
from lib_facefix.webui.host.references import (
    NO_EDIT_MODELS,
    NO_ENLARGING_MODELS,
    check_model,
    drop_crops,
    references_kept,
)


@pytest.fixture
def marks(monkeypatch):
    """The marks of a host with such models."""
    marks = SimpleNamespace(kontext=False, edit=False, klein=False, ref_latents=[])
    for name in ("backend", "backend.args"):
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        module.__path__ = []
        monkeypatch.setitem(sys.modules, name, module)
    sys.modules["backend"].args = sys.modules["backend.args"]
    sys.modules["backend.args"].dynamic_args = marks
    return marks


@pytest.mark.parametrize(
    ("mark", "reason"), [("kontext", NO_EDIT_MODELS), ("edit", NO_EDIT_MODELS), ("pid", NO_ENLARGING_MODELS)]
)
def test_a_model_that_only_edits_or_enlarges_is_refused_with_a_sentence(marks, mark, reason):
    setattr(marks, mark, True)
    with pytest.raises(BadCrop) as refused:
        check_model()
    assert str(refused.value) == reason


def test_a_model_that_also_draws_is_not_refused(marks):
    marks.klein = True
    check_model()


def test_crops_are_no_references_and_those_of_the_user_stay(marks):
    model = SimpleNamespace(ini_latent="crop", ref_latents=["stitched"])
    marks.ref_latents = ["crop"]
    drop_crops(model)
    assert model.ini_latent is None
    assert marks.ref_latents == ["stitched"]


def test_the_references_of_the_image_return_after_the_run_even_after_an_error(marks):
    model = SimpleNamespace(ini_latent="image", ref_latents=[])
    marks.ref_latents = ["image"]

    def run_and_fail():
        with references_kept(model):
            marks.ref_latents.clear()
            model.ini_latent = "crop"
            raise BadCrop("no image")

    with pytest.raises(BadCrop):
        run_and_fail()
    assert (marks.ref_latents, model.ini_latent) == (["image"], "image")


@pytest.mark.parametrize("backend", [None, ModuleType("backend.args")], ids=["no backend", "a backend without them"])
def test_a_host_without_such_models_is_left_alone(monkeypatch, backend):
    if backend:
        for name in ("backend", "backend.args"):
            module = ModuleType(name)
            module.__spec__, module.__path__ = ModuleSpec(name, None), []
            monkeypatch.setitem(sys.modules, name, module)
    model = SimpleNamespace(ini_latent="untouched")
    check_model()
    with references_kept(model):
        drop_crops(model)
    assert model.ini_latent == "untouched"
