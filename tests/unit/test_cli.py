"""The command line on small made-up pictures, with an engine whose faces and work are easy to see."""

import json
import os
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image as Pil
from yolo_made import yolo_onnx

from lib_facefix import Box, Face, FaceFix, FaceSettings
from lib_facefix.cli import __main__ as command
from lib_facefix.cli.flags import ALIASES, add_settings
from lib_facefix.cli.parser import Parser
from lib_facefix.errors import DegenerateLandmarks
from lib_facefix.imaging.align import FFHQ_512
from lib_facefix.imaging.frames import Upright
from lib_facefix.protocols import Fixed
from lib_facefix.settings.options import options

MAGENTA = (255, 0, 255)


def face_at(x, y, size=60):
    landmarks = (FFHQ_512 - 256) * (size / 256) + (x, y)
    return Face(Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2), 0.9, landmarks)


class TwoFaces:
    """Finds two faces in every picture that is large enough."""

    def detect(self, image, min_score):
        height, width = image.shape[:2]
        return (face_at(60, 60), face_at(200, 70, size=80)) if width >= 280 and height >= 140 else ()


class SeesNoMesh:
    def locate(self, image, face):
        return face


class Painter:
    """Restores by painting magenta; refuses faces whose prompt-like fidelity is exactly 0.25."""

    def framing(self, job):
        return Upright(128)

    def batch_key(self, job):
        return "paint"

    def fix(self, crops, jobs):
        for crop, job in zip(crops, jobs, strict=True):
            if job.treatment.fidelity == 0.25:
                raise DegenerateLandmarks("this face will not hold still")
            yield Fixed(np.full_like(crop.image, MAGENTA), "a brush")


@pytest.fixture(autouse=True)
def engine(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path_factory.mktemp("cache")))
    from lib_facefix.registry import DETECTORS, LANDMARKERS, RESTORERS, ModelInfo

    parts = {DETECTORS["auto"]: TwoFaces, LANDMARKERS["facemesh"]: SeesNoMesh, RESTORERS["lite"]: Painter}
    real = ModelInfo.load
    monkeypatch.setattr(ModelInfo, "load", lambda info: parts.get(info) or real(info))


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "in" / "photo.png"
    path.parent.mkdir()
    noise = np.random.default_rng(3).integers(0, 256, (140, 300, 3), np.uint8)
    Pil.fromarray(cv2.GaussianBlur(noise, (0, 0), 6)).save(path)
    return path


def run(*arguments):
    return command.main([str(argument) for argument in arguments])


def pixels(path):
    with Pil.open(path) as picture:
        return np.array(picture.convert("RGB"))


def is_painted(path, x, y):
    return pixels(path)[y, x].astype(int) == pytest.approx(MAGENTA, abs=2)


def test_a_picture_is_fixed_beside_its_input_which_stays_as_it_was(photo):
    before = photo.read_bytes()

    assert run("fix", photo, "--no-match-colour") == 0

    result = photo.with_name("photo.fixed.png")
    assert is_painted(result, 60, 60)
    assert is_painted(result, 200, 70)
    assert photo.read_bytes() == before
    far = np.s_[:, 120:140]
    assert (pixels(result)[far] == pixels(photo)[far]).all()


def test_results_of_an_earlier_run_are_not_fixed_again(photo):
    run("fix", photo.parent)
    run("fix", photo.parent)
    names = {path.name for path in photo.parent.iterdir()}
    assert names - {".facefix"} == {"photo.fixed.png", "photo.png"}  # the journal is no image


def test_a_folder_is_mirrored_and_one_bad_file_does_not_stop_the_rest(photo, tmp_path, capsys):
    (photo.parent / "deep").mkdir()
    (photo.parent / "deep" / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    Pil.new("RGB", (20, 20)).save(photo.parent / "deep" / "small.png")

    assert run("fix", photo.parent, "-o", tmp_path / "out", "--report", tmp_path / "r.json") == 1

    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert made == ["deep/small.png", "photo.png"]
    assert "broken.jpg" in capsys.readouterr().err
    records = {
        record["path"].rsplit("/", 1)[-1]: record
        for record in json.loads((tmp_path / "r.json").read_text())["pictures"]
    }
    assert records["broken.jpg"]["error"]
    assert records["broken.jpg"]["output"] is None
    assert records["photo.png"]["error"] is None


def test_the_report_has_what_others_build_on(photo, tmp_path):
    run(
        "fix",
        photo,
        "-o",
        tmp_path / "out.png",
        "--report",
        tmp_path / "r.json",
        "--face",
        "2:method=leave",
        "--method",
        "restore",
    )

    report = json.loads((tmp_path / "r.json").read_text())
    [picture] = report["pictures"]
    one, two = picture["faces"]
    assert report["version"] == 1
    assert (picture["path"], picture["size"], picture["output"]) == (str(photo), [300, 140], str(tmp_path / "out.png"))
    assert picture["seconds"] > 0
    assert (one["number"], one["box"], one["score"]) == (1, [30, 30, 90, 90], 0.9)
    assert np.shape(one["landmarks"]) == (5, 2)
    assert set(one["pose"]) == {"yaw", "pitch", "roll"}
    assert (one["decision"], one["reason"], one["outcome"], one["error"]) == ("restore", "chosen by you", "fixed", None)
    assert (two["decision"], two["outcome"], two["seconds"]) == ("leave", "left", 0)


def test_detect_prints_json_and_draws(photo, tmp_path, capsys):
    assert run("detect", photo, "--draw", tmp_path / "boxes.png") == 0

    [picture] = json.loads(capsys.readouterr().out)["pictures"]
    assert list(picture["faces"][1]) >= ["box"]
    assert [face["number"] for face in picture["faces"]] == [1, 2]
    assert picture["faces"][1]["box"] == [160, 30, 240, 110]
    assert (pixels(tmp_path / "boxes.png") != pixels(photo)).any()


def test_a_saved_plan_gives_the_same_bytes_and_an_edited_one_what_it_says(photo, tmp_path):
    plan, direct, again, edited = (tmp_path / name for name in ("p.json", "direct.png", "again.png", "edited.png"))
    run("plan", photo, "-o", plan, "--fidelity", "0.5")
    run("fix", photo, "-o", direct, "--fidelity", "0.5")
    assert run("fix", "--plan", plan, "-o", again) == 0
    assert again.read_bytes() == direct.read_bytes()

    content = json.loads(plan.read_text())
    content["pictures"][0]["faces"][0]["decision"] = "leave"
    plan.write_text(json.dumps(content))
    assert run("fix", photo, "--plan", plan, "-o", edited) == 0
    assert (pixels(edited)[:, :110] == pixels(photo)[:, :110]).all()
    assert (pixels(edited)[70, 200] == pixels(direct)[70, 200]).all()


def test_a_dry_run_writes_no_picture(photo, tmp_path, capsys):
    assert run("fix", photo, "-o", tmp_path / "out", "--dry-run") == 0
    assert not (tmp_path / "out").exists()
    assert "1: 60 px, restore" in capsys.readouterr().out


def test_a_face_that_fails_is_named_and_the_other_is_fixed(photo, tmp_path, capsys):
    out = tmp_path / "out.png"
    assert run("fix", photo, "-o", out, "--face", "1:fidelity=0.25", "--no-match-colour") == 1
    assert "face 1 failed: this face will not hold still" in capsys.readouterr().out
    assert is_painted(out, 200, 70)
    assert (pixels(out)[:, :110] == pixels(photo)[:, :110]).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["--fidelity", "1.5"], "Fidelity must be between 0 and 1, not 1.5", id="out of range"),
        pytest.param(["--upscale", "0"], "Upscale must be a factor from 1 to 8", id="no upscale"),
        pytest.param(["--restorer", "nonesuch"], "Restorer must be one of auto, built-in", id="unknown restorer"),
        pytest.param(["--method", "re-diffuse"], "re-diffuse needs Stable Diffusion", id="nothing can re-diffuse"),
        pytest.param(["--face", "2:fidelty=1"], "unknown setting 'fidelty'", id="misspelt setting of one face"),
        pytest.param(["--face", "2"], 'look like "3:fidelity=0.9"', id="no setting for the face"),
        pytest.param(["--faces", "3-1"], "ranges must increase", id="numbers backwards"),
        pytest.param(["-o", "x.png", "--in-place"], "Remove -o", id="two places"),
        pytest.param(["-o", "x.doc/y.xyz"], None, id="an unknown suffix is a folder"),
        pytest.param(["--plan", "missing.json"], "cannot read missing.json", id="no such plan"),
        pytest.param(["--compare", "sheet.xyz"], "sheet.xyz", id="a sheet of unknown kind"),
    ],
)
def test_wrong_use_is_answered_with_a_sentence_and_code_2(photo, tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    code = run("fix", photo, *arguments)
    if sentence is None:
        assert code == 0
    else:
        assert (code, sentence in capsys.readouterr().err) == (2, True)
        assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_input_is_never_overwritten_unless_asked(photo, tmp_path, capsys):
    before = photo.read_bytes()
    assert run("fix", photo, "-o", photo) == 2
    assert run("fix", photo, "-o", photo.parent) == 2
    assert "--in-place" in capsys.readouterr().err
    assert photo.read_bytes() == before
    assert run("fix", photo, "--in-place") == 0
    assert photo.read_bytes() != before


def test_the_level_of_compression_changes_the_size_of_a_png_and_none_of_its_pixels(photo, tmp_path, capsys):
    for level in (0, 1, 9):
        assert run("fix", photo, "-o", tmp_path / f"{level}.png", "--png-level", level) == 0
    assert run("fix", photo, "-o", tmp_path / "default.png") == 0
    sizes = [(tmp_path / f"{level}.png").stat().st_size for level in (0, 1, 9)]
    assert sizes[0] > sizes[1] > sizes[2]
    assert np.array_equal(pixels(tmp_path / "0.png"), pixels(tmp_path / "9.png"))
    assert (tmp_path / "default.png").read_bytes() == (tmp_path / "1.png").read_bytes()
    with pytest.raises(SystemExit):
        run("fix", photo, "--png-level", 10)
    assert "--png-level" in capsys.readouterr().err


def test_a_picture_without_faces_is_handed_on_byte_for_byte(tmp_path):
    source = tmp_path / "empty scène.jpg"
    Pil.new("RGB", (64, 48), (10, 200, 30)).save(source, quality=71)
    assert run("fix", source, "-o", tmp_path / "out.jpg") == 0
    assert (tmp_path / "out.jpg").read_bytes() == source.read_bytes()


def test_a_before_after_sheet_is_written(photo, tmp_path):
    assert run("fix", photo, "-o", tmp_path / "o.png", "--compare", tmp_path / "sheet.jpg") == 0
    assert pixels(tmp_path / "sheet.jpg").shape[1] > 2 * 256


def test_every_setting_has_a_flag_and_no_default_of_its_own():
    parser = Parser()
    add_settings(parser)
    chosen = vars(parser.parse_args([]))
    assert {field.name for field, _ in options(FaceSettings)} == set(chosen) - {"face"}
    assert not any(value for value in chosen.values())


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_what_is_found_and_planned_with_a_folder_of_yolo_models_is_fixed_with_it(
    photo, tmp_path, away_from_home, monkeypatch, capsys, way
):
    (tmp_path / "nets" / "drawn").mkdir(parents=True)
    (tmp_path / "nets" / "drawn" / "anime.onnx").write_bytes(yolo_onnx((300, 140), [(30, 30, 90, 90)]))
    monkeypatch.setattr(
        SeesNoMesh, "locate", lambda self, image, face: replace(face, landmarks=face_at(60, 60).landmarks)
    )
    if way == "variable":
        monkeypatch.setenv("FACEFIX_YOLO", str(tmp_path / "nets"))
    flags = ["--yolo", tmp_path / "nets"] if way == "flag" else []
    plan = tmp_path / "plan.json"

    assert run("detect", photo, "--detector", "anime.onnx", *flags) == 0
    [face] = json.loads(capsys.readouterr().out)["pictures"][0]["faces"]
    assert face["box"] == pytest.approx([30, 30, 90, 90], abs=1)
    assert run("plan", photo, "-o", plan, "--detector", "anime.onnx", *flags) == 0
    assert [face["box"] for face in json.loads(plan.read_text())["pictures"][0]["faces"]] == [face["box"]]
    assert run("fix", "--plan", plan, "-o", tmp_path / "new.png", *flags) == 0
    assert run("fix", photo, "--detector", "anime.onnx", "-o", tmp_path / "at once.png", *flags) == 0
    assert (tmp_path / "new.png").read_bytes() == (tmp_path / "at once.png").read_bytes()


@pytest.mark.parametrize("command", ["detect", "plan", "fix"])
def test_a_webui_that_is_not_there_is_told_by_all_that_look_for_models_in_it(photo, tmp_path, capsys, command):
    assert run(command, photo, "--webui", tmp_path / "wbui") == 2
    assert "give the folder of a WebUI" in capsys.readouterr().err


def test_models_and_settings_are_listed(capsys):
    assert run("models", "--json") == 0
    models = json.loads(capsys.readouterr().out)["models"]
    built_in = {model["name"] for model in models if model["state"] == "built in"}
    assert built_in == {"auto", "blazeface", "centerface", "dlib", "facemesh", "lite", "person"}
    assert all(model["licence"] for model in models)
    assert all(model["bytes"] > 100_000 for model in models if model["state"] == "built in")
    assert run("models") == 0
    assert "Apache-2.0" in capsys.readouterr().out
    assert run("settings") == 0
    assert json.loads(capsys.readouterr().out)["properties"]["fidelity"]["default"] == 0.6


def test_ctrl_c_keeps_what_is_done_and_reports_it(photo, tmp_path, monkeypatch, capsys):
    second = photo.with_name("second.png")
    second.write_bytes(photo.read_bytes())

    def interrupted(self, crops, jobs):
        yield Fixed(np.full_like(crops[0].image, MAGENTA), "a brush")
        if not (tmp_path / "out" / "photo.png").exists():
            yield Fixed(np.full_like(crops[1].image, MAGENTA), "a brush")
        raise KeyboardInterrupt

    monkeypatch.setattr(Painter, "fix", interrupted)
    code = run("fix", photo.parent, "-o", tmp_path / "out", "--report", tmp_path / "r.json")

    assert code == 130
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["photo.png"]
    assert json.loads((tmp_path / "r.json").read_text())["pictures"][0]["output"]
    assert (
        json.loads((tmp_path / "r.json").read_text())["pictures"][1]["error"] == "stopped before this file was finished"
    )
    assert "1 of 2 images done" in capsys.readouterr().err
    assert run("fix", photo.parent, "-o", tmp_path / "out") == 130
    assert "0 of 2 images done, 1 done earlier" in capsys.readouterr().err


def test_a_missing_file_fails_alone(photo, tmp_path, capsys):
    assert run("fix", photo.with_name("gone.jpg"), photo, "-o", tmp_path / "out") == 1
    assert "gone.jpg" in capsys.readouterr().err
    assert (tmp_path / "out" / "photo.png").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["fix", "PHOTO", "-o", "o.png", "--compare", "PHOTO"], id="sheet over the input"),
        pytest.param(["fix", "PHOTO", "-o", "o.png", "--report", "PHOTO"], id="report over the input"),
        pytest.param(["fix", "PHOTO", "-o", "o.png", "--compare", "o.png"], id="sheet over the result"),
        pytest.param(
            ["fix", "PHOTO", "-o", "o.png", "--report", "x.png", "--compare", "x.png"], id="both in one place"
        ),
        pytest.param(["plan", "PHOTO", "-o", "PHOTO"], id="plan over the input"),
        pytest.param(["detect", "PHOTO", "-o", "PHOTO"], id="json over the input"),
        pytest.param(["detect", "PHOTO", "--draw", "PHOTO"], id="drawing over the input"),
    ],
)
def test_nothing_that_is_written_overwrites_an_input_or_a_result(photo, tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    before = photo.read_bytes()
    assert run(*(photo if argument == "PHOTO" else argument for argument in arguments)) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert photo.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_error_that_nobody_foresaw_fails_its_picture_alone(photo, tmp_path, monkeypatch, capsys):
    second = photo.with_name("second.png")
    second.write_bytes(photo.read_bytes())
    errors = [ZeroDivisionError("of all things")]

    def detect(self, image, min_score):
        if errors:
            raise errors.pop()
        return ()

    monkeypatch.setattr(TwoFaces, "detect", detect)
    assert run("fix", photo.parent, "-o", tmp_path / "out", "--report", tmp_path / "r.json") == 1
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["second.png"]
    assert "unexpected ZeroDivisionError: of all things" in capsys.readouterr().err
    assert "ZeroDivisionError" in json.loads((tmp_path / "r.json").read_text())["pictures"][0]["error"]


def test_a_file_of_another_kind_among_pictures_fails_alone(photo, tmp_path):
    notes = photo.with_name("notes.txt")
    notes.write_text("buy milk")
    assert run("fix", photo, notes, "-o", tmp_path / "out") == 1
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["photo.png"]


def test_results_inside_the_input_folder_are_not_fixed_again(photo):
    for _ in range(2):
        assert run("fix", photo.parent, "-o", photo.parent / "done") == 0
    assert sorted(path.name for path in photo.parent.rglob("*.png")) == ["photo.png", "photo.png"]


def test_a_plan_says_what_to_do_in_one_place_only(photo, tmp_path, capsys):
    plan = tmp_path / "p.json"
    run("plan", photo, "-o", plan)
    content = json.loads(plan.read_text())
    content["pictures"][0]["faces"][0]["parameters"]["method"] = "leave"
    plan.write_text(json.dumps(content))
    assert run("fix", "--plan", plan) == 2
    assert "face 1: set the method in 'decision'" in capsys.readouterr().err


def test_a_sheet_can_have_any_suffix_that_can_be_written(photo, tmp_path):
    for name in ("s.jfif", "s.apng", "s.webp", "s.tif"):
        assert run("fix", photo, "-o", tmp_path / "o.png", "--compare", tmp_path / name) == 0
        assert pixels(tmp_path / name).shape[1] > 2 * 256


def test_a_planned_folder_is_mirrored_like_the_folder_itself(photo, tmp_path):
    for name in ("a", "b"):
        (photo.parent / name).mkdir()
        (photo.parent / name / "x.png").write_bytes(photo.read_bytes())
    run("plan", photo.parent, "-o", tmp_path / "p.json")
    assert run("fix", "--plan", tmp_path / "p.json", "-o", tmp_path / "planned") == 0
    assert run("fix", photo.parent, "-o", tmp_path / "direct") == 0
    made = [
        {p.relative_to(root): p.read_bytes() for p in root.rglob("*.png")}
        for root in (tmp_path / "planned", tmp_path / "direct")
    ]
    assert made[0] == made[1]
    assert len(made[0]) == 3


def test_a_picture_is_enlarged_and_its_faces_are_fixed_there(photo, tmp_path, capsys):
    out, report = tmp_path / "out.png", tmp_path / "r.json"
    assert run("fix", photo, "-o", out, "--upscale", "2", "--no-match-colour", "--report", report) == 0

    assert pixels(out).shape == (280, 600, 3)
    assert is_painted(out, 120, 120)
    assert is_painted(out, 400, 140)
    assert "2 faces: 2 fixed, upscaled to 600x280 with lanczos" in capsys.readouterr().out
    [picture] = json.loads(report.read_text())["pictures"]
    assert (picture["size"], picture["result_size"]) == ([300, 140], [600, 280])
    assert picture["upscale"]["upscaler"] == "lanczos"
    assert picture["faces"][0]["box"] == [30, 30, 90, 90]
    assert picture["faces"][0]["engine"] == "a brush"


@pytest.mark.parametrize("size", ["60x28", "600x14"], ids=["smaller", "wider and lower"])
def test_what_does_not_only_grow_is_not_called_enlarged(photo, tmp_path, capsys, size):
    out = tmp_path / "out.png"
    assert run("fix", photo, "-o", out, "--upscale", size) == 0
    assert f"2 faces: 2 fixed, scaled to {size} with lanczos" in capsys.readouterr().out
    with Pil.open(out) as picture:
        assert picture.size == tuple(map(int, size.split("x")))


def test_a_picture_without_faces_is_enlarged_too(tmp_path, capsys):
    Pil.new("RGB", (64, 48), (10, 200, 30)).save(tmp_path / "empty.jpg", quality=71)
    assert run("fix", tmp_path / "empty.jpg", "-o", tmp_path / "out.jpg", "--upscale", "100x90") == 0
    assert pixels(tmp_path / "out.jpg").shape == (90, 100, 3)
    assert "no faces found, upscaled to 100x90 with lanczos" in capsys.readouterr().out


def test_a_plan_and_a_dry_run_say_how_large_the_result_will_be(photo, tmp_path, capsys):
    plan, planned, direct = (tmp_path / name for name in ("p.json", "planned.png", "direct.png"))
    run("plan", photo, "-o", plan, "--upscale", "1.5")
    assert "2 faces, to be upscaled to 450x210 with lanczos" in capsys.readouterr().out
    run("fix", photo, "--upscale", "1.5", "--dry-run")
    assert "2 faces, to be upscaled to 450x210 with lanczos" in capsys.readouterr().out
    [picture] = json.loads(plan.read_text())["pictures"]
    assert picture["upscale"] == {"size": [450, 210], "upscaler": "lanczos"}

    run("fix", "--plan", plan, "-o", planned)
    run("fix", photo, "--upscale", "1.5", "-o", direct)
    assert planned.read_bytes() == direct.read_bytes()


def test_a_picture_that_would_be_too_large_for_its_file_fails_before_the_work(photo, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(FaceFix, "run", lambda *_, **__: pytest.fail("worked for nothing"))
    assert run("fix", photo, "-o", tmp_path / "out.webp", "--upscale", "20000x10") == 1
    assert "WEBP holds at most 16383 px on a side, not 20000x10" in capsys.readouterr().err


def test_a_sheet_shows_the_faces_of_an_enlarged_picture(photo, tmp_path):
    for name, more in (("plain", []), ("large", ["--upscale", "3"])):
        sheet = tmp_path / f"{name}.png"
        assert run("fix", photo, "-o", tmp_path / "o.png", "--no-match-colour", "--compare", sheet, *more) == 0
    plain, large = (pixels(tmp_path / name).astype(int) for name in ("plain.png", "large.png"))
    faces = np.s_[-270:-30]
    assert np.abs(plain[faces] - large[faces]).mean() < 3


@pytest.mark.parametrize(("alias", "flag"), [("--confidence", "--min-score"), ("--max-faces", "--at-most")])
def test_a_clearer_name_of_a_flag_means_the_same_setting(alias, flag):
    first, second = (command.make_parser("plan").parse_args(["x.png", name, "1"]) for name in (alias, flag))
    assert vars(first) == vars(second)


@pytest.mark.parametrize("name", ALIASES)
def test_every_clearer_name_belongs_to_a_setting(name, capsys):
    with pytest.raises(SystemExit, match="0"):
        command.make_parser("fix").parse_args(["--help-all"])
    assert re.search(rf"{ALIASES[name]}, --{name.replace('_', '-')} ", capsys.readouterr().out)


def test_what_a_result_does_not_contain_is_printed_and_reported(photo, tmp_path, capsys):
    with Pil.open(photo) as opened:
        opened.save(photo.with_suffix(".jpg"))
    plain = photo.with_suffix(".jpg").read_bytes()
    video = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(99)
    photo.with_suffix(".jpg").write_bytes(plain + video)
    report, flags = tmp_path / "r.json", ("--method", "restore")
    assert run("fix", photo.with_suffix(".jpg"), "-o", tmp_path / "out.jpg", "--report", report, *flags) == 0
    assert "  note: Its video (motion photo) was left out." in capsys.readouterr().out
    assert json.loads(report.read_text())["pictures"][0]["notes"] == ["Its video (motion photo) was left out."]
    assert run("fix", photo, "-o", tmp_path / "out.png", "--report", report, *flags) == 0
    assert json.loads(report.read_text())["pictures"][0]["notes"] == []


def test_a_jpeg_that_is_cut_off_is_fixed_with_salvage_alone(photo, tmp_path, capsys):
    with Pil.open(photo) as opened:
        opened.save(photo.with_suffix(".jpg"), quality=95)
    whole = photo.with_suffix(".jpg").read_bytes()
    photo.with_suffix(".jpg").write_bytes(whole[: len(whole) * 9 // 10])
    for command_name in ("fix", "plan", "detect"):
        assert run(command_name, photo.with_suffix(".jpg"), "-o", tmp_path / f"{command_name}.jpg") == 1
        assert "--salvage" in capsys.readouterr().err
    for command_name in ("fix", "plan", "detect"):
        assert run(command_name, photo.with_suffix(".jpg"), "-o", tmp_path / f"{command_name}.jpg", "--salvage") == 0
    with Pil.open(tmp_path / "fix.jpg") as back:
        back.load()
        assert back.size == (300, 140)


def test_times_are_kept_on_request_and_sidecars_go_along(photo, tmp_path):
    os.utime(photo, (1000, 1000))
    photo.with_name("photo.png.xmp").write_text("names")
    run("fix", photo, "-o", tmp_path / "new", "--method", "restore")
    run("fix", photo, "-o", tmp_path / "kept", "--method", "restore", "--keep-times")
    assert (tmp_path / "new" / "photo.png").stat().st_mtime > 1000
    assert (tmp_path / "kept" / "photo.png").stat().st_mtime == 1000
    assert (tmp_path / "new" / "photo.png.xmp").read_text() == "names"
