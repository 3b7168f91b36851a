"""The WebUI's toolkit, as far as our pages need it: gradio, which only a WebUI's environment has."""

import importlib
import sys
from types import ModuleType

import pytest

LISTS = {
    "samplers": ["Euler", "Heun"],
    "schedulers": ["Karras"],
    "checkpoints": ["a.safetensors"],
    "vaes": ["None"],
    "detectors": ["face_yolov8n.pt"],
    "restorers": ["GPEN-BFR-512.onnx"],
    "missing restorers": ["codeformer"],
}
OURS = (
    *("ui.gradio_compat", "presets.panel", "detection.panel", "ui.download", "ui.settings_form", "accordion"),
    *("compare.slider", "extras.panel"),
)
"""Our rooms that know the toolkit."""


@pytest.fixture(scope="session")
def gradio():
    """The toolkit, whichever version is installed."""
    return pytest.importorskip("gradio", reason="gradio is not installed here: run this in a WebUI's environment")


@pytest.fixture
def on_page(gradio, monkeypatch):
    """Import one of our rooms that build pages, on stand-ins for the host's components and lists."""
    ui_components = ModuleType("modules.ui_components")
    ui_components.FormRow, ui_components.ToolButton = gradio.Row, lambda tooltip, **facts: gradio.Button(**facts)
    ui_components.InputAccordion = lambda *args, **facts: _input_accordion(gradio, *args, **facts)
    modules = ModuleType("modules")
    modules.ui_components = ui_components
    monkeypatch.setitem(sys.modules, "modules", modules)
    monkeypatch.setitem(sys.modules, "modules.ui_components", ui_components)
    _forget()

    def import_room(name):
        room = importlib.import_module(f"lib_facefix.webui.{name}")
        for one in OURS:
            if hasattr(known := sys.modules.get(f"lib_facefix.webui.{one}"), "host_list"):
                monkeypatch.setattr(known, "host_list", LISTS.__getitem__)
        return room

    yield import_room
    _forget()  # they know the stand-in


def _forget():
    for name in OURS:
        sys.modules.pop(f"lib_facefix.webui.{name}", None)


def _input_accordion(gradio, value, label, elem_id):
    """The host's tick box that opens an accordion."""
    box = gradio.Checkbox(value, label=label, elem_id=f"{elem_id}-checkbox", visible=False)
    box.accordion = gradio.Accordion(label, open=value, elem_id=elem_id)
    return WithAccordion(box)


class WithAccordion:
    def __init__(self, box):
        self.__dict__["box"] = box

    def __getattr__(self, name):
        return getattr(self.box, name)

    def __setattr__(self, name, value):
        setattr(self.box, name, value)

    def __enter__(self):
        self.box.accordion.__enter__()
        return self

    def __exit__(self, *error):
        self.box.accordion.__exit__(*error)


def handler(page, component, event):
    """Return what the page calls when this happens to a component; the first, where there are several."""
    return next(handlers(page, component, event))


def handlers(page, component, event):
    """Yield what the page calls when this happens to a component."""
    if isinstance(page.fns, dict):
        yield from (one.fn for one in page.fns.values() if (component._id, event) in one.targets)
        return
    known = zip(page.dependencies, page.fns, strict=True)
    for told, one in known:  # what happens to the page itself has no target
        if component._id in (told["targets"] or [page._id]) and told["trigger"] == event:
            yield one.fn
