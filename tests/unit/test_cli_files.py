"""What the command line does with odd files, names, and outputs."""

import json

import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix.cli import __main__ as command

NASTY = "a\x1b]0;owned\x07\x9b31m\nfixed\u202egnp.png"


def run(*arguments):
    return command.main([str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def at_home(away_from_home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def photo(tmp_path):
    """A picture without a face, which is therefore copied."""
    path = tmp_path / "in" / "photo.png"
    path.parent.mkdir()
    Pil.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(path)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["fix", "ODD", "-o", "out"], id="fixed"),
        pytest.param(["fix", "ODD", "--dry-run"], id="planned"),
        pytest.param(["fix", "GONE", "-o", "out"], id="missing"),
        pytest.param(["fix", "ODD", "-o", "ODD"], id="wrong use"),
        pytest.param(["detect", "ODD"], id="detected"),
        pytest.param(["plan", "ODD"], id="a printed plan"),
        pytest.param(["plan", "ODD", "-o", "plan.json"], id="a written plan"),
        pytest.param(["fix", "ODD", "-o", "out", "--detector", NASTY], id="a setting"),
    ],
)
def test_control_characters_of_a_name_are_spelled_out(photo, capsys, arguments):
    odd = photo.with_name(NASTY)
    odd.write_bytes(photo.read_bytes())
    names = {"ODD": odd, "GONE": photo.with_name(f"gone{NASTY}")}
    run(*(names.get(argument, argument) for argument in arguments))

    told = "".join(capsys.readouterr())
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(told)
    assert "\nfixed" not in told
    assert "x1b]0;owned" in told or "u001b]0;owned" in told


def test_printed_json_still_has_the_name(photo, capsys):
    odd = photo.with_name(NASTY)
    odd.write_bytes(photo.read_bytes())
    assert run("detect", odd) == 0
    assert json.loads(capsys.readouterr().out)["pictures"][0]["path"] == str(odd)
