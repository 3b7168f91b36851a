"""The identity guard over a batch: only faces that have become strangers are drawn again, and the record says so."""

import base64

import pictures
import pytest
from driving import QUICK, changed, difference, inside

PICTURES = [pictures.sheet(2), pictures.sheet(2, first=2)]
ASKED = {"draws": PICTURES, "batch_size": 2, "seed": 7}
PASS = {**QUICK, "width": 128, "height": 128, "denoising_strength": 0.9, "prompt": "left [SEP] right"}
STRANGERS = {"right/8": 0.5, "left/8": 0.0}
"""The right face of the first picture is a stranger above this strength, the left face of the second one always."""


@pytest.fixture
def host(host, tmp_path):
    """The model draws strangers in the place of two faces of four."""
    pictures.portrait(7, 128, room=1.5).save(tmp_path / "stranger.png")
    host.order(strangers=STRANGERS, stranger=str(tmp_path / "stranger.png"))
    return host


def drawn_runs(host):
    """Return of each sampling run of faces: its prompts, its seeds, its strength, and the sizes of its batches."""
    return [
        (run["prompts"], run["seeds"], round(run["denoising_strength"], 4), set(run["items"])) for run in host.runs()
    ]


def coded(path):
    return base64.b64encode(path.read_bytes()).decode()


def verdicts(made):
    return [[face.get("guard", "kept") for face in made.faces(number).values()] for number in (0, 1)]


def test_further_runs_hold_only_the_faces_that_drifted(host):
    made = host.txt2img({**PASS, "guard": "back-off"}, **ASKED)
    assert drawn_runs(host) == [
        (["left", "right", "left", "right"], [7, 8, 8, 9], 0.9, {4}),
        (["right", "left"], [8, 8], 0.45, {2}),
        (["left"], [8], 0.225, {1}),
    ]
    assert verdicts(made) == [["kept", "backed off"], ["left", "kept"]]


def test_no_stranger_is_pasted_and_a_face_that_is_left_keeps_its_bytes(host):
    made = host.txt2img({**PASS, "guard": "back-off", "match_colour": False}, **ASKED)
    for number, left in ((0, ()), (1, (1,))):
        before, after = pictures.array(PICTURES[number]), made.pictures[number]
        for face in made.faces(number).values():
            place = inside(face["box"])
            assert changed(after, before)[place].any() == (face["n"] not in left)
            assert difference(after[place], before[place]) <= 12


def test_by_default_a_drift_is_only_reported(host):
    made = host.txt2img(PASS, **ASKED)
    assert [run["batch_size"] for run in host.runs()] == [4]
    assert verdicts(made) == [["kept", "drifted"], ["drifted", "kept"]]
    assert "guard" not in made.record()["passes"][0]
    assert "face 2: identity drifted (distance" in host.comments()
    assert "face 1: identity drifted (distance" in host.comments()


def test_a_face_that_is_left_or_backed_off_is_told_with_its_figures(host):
    made = host.txt2img({**PASS, "guard": "back-off"}, **ASKED)
    one, two = made.faces(0)[2], made.faces(1)[1]
    assert 0 <= one["identity"] < 0.3
    assert two["identity"] > 0.4
    told = host.comments()
    assert f"denoising strength 0.45 (distance {one['identity']:.2f} instead of" in told
    assert f"it would look like another person (distance {two['identity']:.2f}, limit" in told


@pytest.mark.parametrize("guard", ["off", "report", "back-off", "strict"])
def test_setting_and_figures_come_back_through_png_info(host, guard):
    first = host.img2img(PICTURES[0], {**PASS, "guard": guard, "skip_img2img": True}, seed=7, save_images=True)
    [saved] = host.saved_paths()
    read = host.webui.post("/sdapi/v1/png-info", {"image": coded(saved)})["info"]
    assert read == first.infotexts[0]
    again = host.img2img(PICTURES[0], infotext=read, seed=7)
    assert again.record()["passes"] == first.record()["passes"]
    assert again.infotexts == first.infotexts
    assert difference(again.picture, first.picture) == 0
    assert first.record()["passes"][0].get("guard", "report") == guard
    figures = [face.get("identity") for face in first.faces().values()]
    assert all(figure is None for figure in figures) == (guard == "off")
