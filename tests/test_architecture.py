"""Who may import whom. The table is the architecture; the tests keep it true."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lib_facefix

LIBRARY = Path(lib_facefix.__file__).parent

NOUNS = {"errors", "types", "settings", "planning", "protocols"}
ADAPTER = NOUNS | {"imaging", "inference", "optional_imports", "weights"}
FRONT_END = NOUNS | {"__init__", "facefix", "fsio", "models", "pictures", "registry", "visualize", "weights"}
FRONT_END |= {"batch", "provenance"}
MAY_IMPORT = {
    "errors": set(),
    "types": {"errors"},
    "fsio": {"errors"},
    "optional_imports": {"errors"},
    "inference": {"errors", "optional_imports", "settings", "weights"},
    "registry": {"errors", "optional_imports"},
    "imaging": {"errors", "types"},
    "pictures": {"errors", "types", "fsio", "imaging"},
    "settings": {"errors", "types", "registry"},
    "weights": {"errors", "fsio", "optional_imports", "registry"},
    "planning": {"errors", "types", "imaging", "settings"},
    "protocols": {"types", "planning", "settings", "weights"},
    "visualize": {"types", "imaging", "planning"},
    "nets": {"errors", "weights"},
    "engines": {"errors", "fsio", "inference", "nets", "optional_imports", "settings"},
    "models": {
        "errors",
        "engines",
        "fsio",
        "inference",
        "maskers.combined",
        "protocols",
        "registry",
        "settings",
        "weights",
    },
    "detectors": ADAPTER,
    "landmarks": ADAPTER,
    "maskers": ADAPTER | {"nets"},
    "fixers": ADAPTER,
    "upscalers": ADAPTER,
    "pipeline": NOUNS | {"imaging"},
    "analysis": ADAPTER | {"models", "pictures", "registry", "detectors.turned", "detectors.combined"},
    "facefix": NOUNS | {"analysis", "models", "pipeline", "registry", "fixers.rediffuse"},
    "provenance": NOUNS | {"__init__", "pictures", "registry", "weights"},
    "batch": NOUNS
    | {"__init__", "fsio", "optional_imports", "pictures", "provenance", "registry", "visualize", "weights"},
    "client": NOUNS | {"facefix", "weights"},
    "server": FRONT_END,
    "cli": FRONT_END | {"client", "server", "analysis.likeness", "engines", "inference", "optional_imports"},
    "webui": FRONT_END | {"server"},
    "comfyui": FRONT_END | {"analysis.likeness", "webui.passes"},
}
"""By room; "__init__" is the package itself (its version), "detectors.turned" and its like one file of a room."""
FOR_TYPES = {
    "registry": {"analysis", "maskers.occluders", "maskers.parser", "protocols"},
    "fixers": {"engines"},
    "upscalers": {"engines"},
}
"""What a room may import under `if TYPE_CHECKING:` alone: at run time it knows nothing of it."""
ONLY_IN = {
    "modules": {"webui"},
    "modules_forge": {"webui"},
    "gradio": {"webui"},
    "comfy": {"comfyui"},
    "comfy_api": {"comfyui"},
    "folder_paths": {"comfyui"},
    "latent_preview": {"comfyui"},
    "fastapi": {"server", "webui"},
    "starlette": {"server", "webui"},
    "prometheus_client": {"server"},
}
MOST_LINES = 300

FILES = sorted(path for path in LIBRARY.rglob("*.py") if path != LIBRARY / "__init__.py")
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(LIBRARY).as_posix())


def room_of(path):
    """Return the room of a file; `python -m lib_facefix` is the command line."""
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py").replace("__main__", "cli")


def statements(path, for_types):
    """Yield what is in a file, under `if TYPE_CHECKING:` or elsewhere."""
    waiting = [(ast.parse(path.read_text("utf-8")), False)]
    while waiting:
        node, typing = waiting.pop()
        typing = typing or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        waiting += [(child, typing) for child in ast.iter_child_nodes(node)]
        if typing == for_types:
            yield node


def imports(path, *, for_types=False):
    """Yield every module that the file imports, by its full name, as a tuple of parts; for types alone, or else."""
    package = path.relative_to(LIBRARY.parent).parent.parts
    for node in statements(path, for_types):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (*base, *(node.module or "").split(".")) if node.module else base
            yield from ((*module, alias.name) for alias in node.names)


def allowed(room, module):
    """Return whether a file of `room` may import `module`, the parts of a name inside this library."""
    other = module[0] if module and module[0] in MAY_IMPORT else "__init__"
    return other == room or other in MAY_IMPORT[room] or ".".join(module[:2]) in MAY_IMPORT[room]


@every_file
def test_every_file_stands_in_a_known_room(path):
    assert room_of(path) in MAY_IMPORT, f"{room_of(path)!r} is no room of the architecture; add it to the table"


@every_file
@pytest.mark.parametrize("for_types", [False, True], ids=["at run time", "for types"])
def test_imports_keep_to_the_table(path, for_types):
    room = room_of(path)
    also = FOR_TYPES.get(room, set()) if for_types else set()
    for package, *inside in imports(path, for_types=for_types):
        if package == "lib_facefix":
            named = {".".join(inside[:depth]) for depth in (1, 2)} & also
            assert named or allowed(room, inside), f"{room} may not import {'.'.join(inside)}"
        assert room in ONLY_IN.get(package, {room}), f"only {ONLY_IN[package]} may import {package}, not {room}"


def test_the_table_names_only_rooms():
    named = {need.split(".")[0] for needs in MAY_IMPORT.values() for need in needs}
    assert named - {"__init__"} <= set(MAY_IMPORT)
    assert len(MAY_IMPORT) <= 31


def test_the_rooms_stand_in_one_order_without_circles():
    standing, waiting = set(), dict(MAY_IMPORT)
    while ready := {room for room, needs in waiting.items() if {need.split(".")[0] for need in needs} <= standing}:
        standing |= ready | {"__init__"}
        waiting = {room: needs for room, needs in waiting.items() if room not in ready}
    assert waiting == {}


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param("from ..facefix import FaceFix", [("lib_facefix", "facefix", "FaceFix")], id="relative"),
        pytest.param("from .. import pipeline", [("lib_facefix", "pipeline")], id="a module of the package"),
        pytest.param("from .masks import move", [("lib_facefix", "imaging", "masks", "move")], id="in its own room"),
        pytest.param("def f():\n    import gradio.blocks", [("gradio", "blocks")], id="inside a function"),
        pytest.param(
            "from lib_facefix.planning.plan import FaceJob",
            [("lib_facefix", "planning", "plan", "FaceJob")],
            id="absolute",
        ),
    ],
)
def test_an_import_is_seen_in_every_spelling(tmp_path, monkeypatch, code, told):
    monkeypatch.setitem(globals(), "LIBRARY", tmp_path / "lib_facefix")
    path = tmp_path / "lib_facefix" / "imaging" / "new.py"
    path.parent.mkdir(parents=True)
    path.write_text(code, "utf-8")
    assert list(imports(path)) == told


@every_file
def test_no_file_is_longer_than_one_can_keep_in_mind(path):
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= MOST_LINES, f"{path.name} has {lines} lines"


def test_all_lists_what_is_public():
    [listed] = (
        node for node in ast.parse((LIBRARY / "__init__.py").read_text("utf-8")).body if isinstance(node, ast.If)
    )
    imported = {alias.name for node in listed.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(lib_facefix.__all__) == imported | {"__version__"}
    assert all(getattr(lib_facefix, name).__name__ == name for name in imported)
    assert set(lib_facefix.__all__) <= set(dir(lib_facefix))
    with pytest.raises(AttributeError, match="has no attribute 'FaceFixes'"):
        lib_facefix.FaceFixes  # noqa: B018 asking for it is the test
    assert len(lib_facefix.__all__) == len(set(lib_facefix.__all__))


WATCH = """
import json, os, socket, sys
written = []
def watch(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        written.append(str(args[0]))
    if event in ("os.mkdir", "os.rename", "subprocess.Popen", "socket.connect"):
        written.append(event)
sys.addaudithook(watch)
def refuse(*_, **__):
    raise AssertionError("importing opened a socket")
socket.socket = refuse
import lib_facefix
print(json.dumps({"heavy": sorted({"torch", "onnxruntime", "PIL", "ultralytics"} & set(sys.modules)), "did": written}))
"""


def test_importing_the_library_does_nothing_else(tmp_path):
    at_home = {**os.environ, "PYTHONPATH": str(LIBRARY.parent), "HOME": str(tmp_path)}
    command = [sys.executable, "-B", "-c", WATCH]
    done = subprocess.run(command, cwd=tmp_path, env=at_home, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"heavy": [], "did": []}  # and it printed nothing
    assert list(tmp_path.iterdir()) == []
