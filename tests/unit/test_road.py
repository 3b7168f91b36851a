"""The way of one picture through the library stays short."""

import subprocess
import sys

import pytest

from benchmarks.road import BARS, WAYS, watch


@pytest.mark.parametrize("way", WAYS)
def test_the_way_of_a_picture_keeps_to_its_bars(way):
    if way == "post":
        pytest.importorskip("fastapi")
        pytest.importorskip("httpx2")
    seen = watch(WAYS[way])
    figures = {**seen.picture.figures(), "stack": len(seen.deepest)}
    assert figures["functions"] > 0
    assert not {name: figures[name] for name, most in BARS.items() if figures[name] > most}
    assert seen.with_crops.figures()["functions"] <= 64  # 16 are guards, 8 confirm faces and keep their tone


def test_fixing_imports_neither_the_other_commands_nor_what_speaks_http():
    code = "import sys; from lib_facefix.cli.__main__ import main, make_parser; make_parser('fix'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "lib_facefix.cli.fix" in loaded
    unwanted = ("lib_facefix.cli.serve", "lib_facefix.client.remote", "http.client", "tqdm", "importlib.metadata")
    assert not set(unwanted) & set(loaded)
