"""The settings of the last image, which are for the page alone: calls of the API neither leave nor get them."""

import json

import pictures
import pytest
from driving import QUICK

ONE = pictures.sheet(1)


@pytest.fixture
def file(webui):
    path = webui.folder / "facefix-last-used.json"
    assert not path.exists()
    yield path
    path.unlink(missing_ok=True)


def test_a_call_of_the_api_leaves_none(host, file):
    with host.options(facefix_keep_last=True):
        made = host.txt2img(QUICK, draws=[ONE])
    assert len(made.faces()) == 1
    assert not file.exists()


@pytest.mark.parametrize("args", [[True], [True, {"method": "restore"}]], ids=["defaults", "by name"])
def test_a_call_of_the_api_gets_none(host, file, args):
    kept = {"v": 2, "start": "", "presets": {"txt2img": [{"method": "restore", "fidelity": 0.1, "mask": "box"}]}}
    file.write_text(json.dumps(kept), "utf-8")
    with host.options(facefix_keep_last=True):
        made = host.txt2img(draws=[ONE], scripts={"FaceFix": {"args": args}})
    assert made.record()["passes"] == (args[1:] or [{}])
