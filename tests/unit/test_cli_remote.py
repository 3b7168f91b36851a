"""`facefix --remote`: the work is done elsewhere, and what is written is what would be written here."""

import base64
import json
import shutil

import cv2
import numpy as np
import pytest
from answering import Reply, answering
from answering_facefix import Service, WebUI, opened
from PIL import Image as Pil
from PIL.PngImagePlugin import PngInfo

from lib_facefix import Box, Face
from lib_facefix.cli import __main__ as command
from lib_facefix.client import client, sdapi_diffuser
from lib_facefix.errors import DegenerateLandmarks
from lib_facefix.imaging.align import FFHQ_512
from lib_facefix.imaging.frames import Upright
from lib_facefix.pictures import read_picture
from lib_facefix.protocols import Fixed
from lib_facefix.registry import DETECTORS, LANDMARKERS, RESTORERS, ModelInfo

INFOTEXT = (
    "a crowd\nNegative prompt: blurry\nSteps: 12, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 5.5, Seed: 9"
)


def face_at(x, y, size=60):
    landmarks = (FFHQ_512 - 256) * (size / 256) + (x, y)
    return Face(Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2), 0.9, landmarks)


class TwoFaces:
    def detect(self, image, min_score):
        return (face_at(60, 60), face_at(200, 70, size=80)) if image.shape[1] >= 280 else ()


class SeesNoMesh:
    def locate(self, image, face):
        return face


class Brightener:
    """Restores by making brighter; refuses faces whose fidelity is exactly 0.25."""

    def framing(self, job):
        return Upright(128)

    def batch_key(self, job):
        return "light"

    def fix(self, crops, jobs):
        for crop, job in zip(crops, jobs, strict=True):
            if job.treatment.fidelity == 0.25:
                raise DegenerateLandmarks("this face will not hold still")
            yield Fixed(cv2.add(crop.image, (40, 40, 40, 0)), "a lamp")


@pytest.fixture(autouse=True)
def alone(away_from_home, monkeypatch):
    parts = {DETECTORS["auto"]: TwoFaces, LANDMARKERS["facemesh"]: SeesNoMesh, RESTORERS["lite"]: Brightener}
    real = ModelInfo.load
    monkeypatch.setattr(ModelInfo, "load", lambda info: parts[info] if info in parts else real(info))
    for name in ("FACEFIX_TOKEN", "FACEFIX_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(client, "FIRST_POLL", 0.001)
    monkeypatch.setattr(sdapi_diffuser, "POLL_INTERVAL", 0.02)


@pytest.fixture
def album(tmp_path):
    """Pictures of several kinds, one of them broken, one without a face."""
    folder = tmp_path / "album"
    (folder / "deep").mkdir(parents=True)
    noise = np.random.default_rng(3).integers(0, 256, (140, 300, 3), np.uint8)
    photo = Pil.fromarray(cv2.GaussianBlur(noise, (0, 0), 6))
    said = PngInfo()
    said.add_text("parameters", INFOTEXT)
    exif = Pil.Exif()
    exif[0x0112], exif[272] = 3, "a camera"
    photo.save(folder / "a.png", pnginfo=said)
    photo.save(folder / "deep" / "b.jpg", quality=90, exif=exif)
    cv2.imwrite(str(folder / "c.tif"), np.asarray(photo).astype(np.uint16) * 257 + 3)
    (folder / "d.jpg").write_bytes(b"\xff\xd8 no more")
    photo.resize((60, 40)).save(folder / "small.webp")
    return folder


@pytest.fixture
def server():
    with answering(Service().routes) as answers:
        yield answers


@pytest.fixture
def webui():
    """One that has no FaceFix."""
    with answering(WebUI().routes) as answers:
        yield answers


def run(*arguments):
    return command.main([str(argument) for argument in arguments])


def files(folder):
    """Return the content of all images by name; the journal of a run is not among them."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != ".facefix")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param([], id="as it is"),
        pytest.param(["--method", "restore", "--upscale", "1.5", "--face", "2:method=leave"], id="with settings"),
        pytest.param(["--method", "restore", "--fidelity", "0.25"], id="with faces that fail"),
    ],
)
def test_a_folder_is_fixed_there_to_the_byte_as_here(album, tmp_path, server, flags):
    here, there = tmp_path / "here", tmp_path / "there"
    codes = [run("fix", album, "-o", here, *flags), run("fix", album, "-o", there, *flags, "--remote", server.url)]
    assert codes == [1, 1]
    assert files(there) == files(here)
    assert set(files(here)) == {"a.png", "deep/b.jpg", "c.tif", "small.webp"}


def test_the_report_and_the_sheet_say_the_same(album, tmp_path, server, capsys):
    made = []
    for name, flags in (("here", []), ("there", ["--remote", server.url])):
        report, sheet = tmp_path / f"{name}.json", tmp_path / f"{name}.png"
        run("fix", album, "-o", tmp_path / "out", "--report", report, "--compare", sheet, *flags)
        pictures = json.loads(report.read_text())["pictures"]
        for timed in (one for picture in pictures for one in (picture, *picture["faces"])):
            timed["seconds"] = 0
        told = [line for line in capsys.readouterr().out.splitlines() if "images/s" not in line]
        made.append((pictures, sheet.read_bytes(), told))
        shutil.rmtree(tmp_path / "out")
    assert made[0] == made[1]


def test_pictures_are_fixed_in_place(album, tmp_path, server):
    copy = shutil.copytree(album, tmp_path / "copy")
    run("fix", album, "--in-place")
    run("fix", copy, "--in-place", "--remote", server.url)
    assert files(copy) == files(album)


@pytest.mark.parametrize("wanted", ["plan", "detect"])
def test_faces_are_found_and_planned_there_as_here(album, server, capsys, wanted):
    told = []
    for flags in ([], ["--remote", server.url]):
        assert run(wanted, album, *flags) == 1
        told.append(capsys.readouterr())
    assert told[0] == told[1]
    assert server.asked


def test_a_plan_is_carried_out_there(album, tmp_path, server):
    run("plan", album / "a.png", "-o", tmp_path / "plan.json", "--method", "restore")
    assert run("fix", "--plan", tmp_path / "plan.json", "-o", tmp_path / "there.png", "--remote", server.url) == 0
    run("fix", album / "a.png", "--method", "restore", "-o", tmp_path / "here.png")
    assert (tmp_path / "there.png").read_bytes() == (tmp_path / "here.png").read_bytes()


def test_nothing_is_written_where_nothing_is_to_be(album, server):
    before = files(album)
    assert run("fix", album / "a.png", "--dry-run", "--remote", server.url) == 0
    assert files(album) == before
    assert not any(path.endswith("/fix") for path in server.paths())


@pytest.mark.parametrize("flags", [(), ("--dry-run",)])
def test_a_detector_is_tried_there_once(album, tmp_path, server, flags):
    assert run("fix", album / "a.png", *flags, "-o", tmp_path / "a.png", "--remote", server.url,
               "--detector", "blazeface") == 0  # fmt: skip
    assert sum(path.endswith("/detect") for path in server.paths()) == 1


def test_what_a_file_says_beside_its_pixels_stays_here(album, server):
    run("fix", album / "deep" / "b.jpg", "--method", "restore", "--remote", server.url)
    sent = [asked.body["image"] for asked in server.asked if asked.body]
    assert len(sent) == 2
    assert all(opened(image).shape == (140, 300, 3) for image in sent)
    assert b"a camera" in (album / "deep" / "b.jpg").read_bytes()
    assert not any(b"a camera" in base64.b64decode(image) for image in sent)


@pytest.fixture
def guarded():
    with answering(Service(token="s3cret").routes) as answers:
        yield answers


def test_the_token_is_told_by_flag_or_by_environment(album, guarded, monkeypatch, capsys):
    asked = ["fix", album / "a.png", "--method", "restore", "--remote", guarded.url]
    assert run(*asked) == 2
    assert run(*asked, "--token", "wr0ng") == 2
    errors = capsys.readouterr().err
    assert "requires authentication; use --token-file or set FACEFIX_TOKEN" in errors
    assert "does not accept these credentials" in errors
    assert "wr0ng" not in errors
    assert run(*asked, "--token", "s3cret") == 0
    monkeypatch.setenv("FACEFIX_TOKEN", "s3cret")
    assert run(*asked) == 0
    assert "s3cret" not in "".join(capsys.readouterr())


def test_a_user_is_told_by_the_address_or_by_environment(album, server, monkeypatch):
    run("detect", album / "a.png", "--remote", server.url.replace("//", "//me:a@"))
    monkeypatch.setenv("FACEFIX_USER", "me:a")
    run("detect", album / "a.png", "--remote", server.url)
    headers = {asked.headers.get("Authorization") for asked in server.asked}
    assert headers == {"Basic bWU6YQ=="}


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        pytest.param(["--token", "x"], "add --remote URL", id="a token for nobody"),
        pytest.param(["--remote", "ftp://x"], "invalid server address 'ftp://x'", id="no address"),
        pytest.param(["--remote", "URL", "--precision", "fast"], "ignores --precision", id="what runs the models"),
        pytest.param(["--remote", "URL", "--restorer", "my.pth"], "has no restorer 'my.pth'", id="a model from here"),
        pytest.param(["--remote", "URL", "--native", "5"], "--native must be between 64 and 4096", id="no side"),
        pytest.param(["--remote", "URL/other"], "has neither FaceFix nor the API of a WebUI", id="nothing there"),
        pytest.param(["--method", "re-diffuse"], "--remote http://127.0.0.1:7860", id="nothing here that re-diffuses"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(album, server, capsys, flags, why):
    flags = [flag.replace("URL", server.url) for flag in flags]
    assert run("fix", album / "a.png", *flags) in (1, 2)
    assert why in capsys.readouterr().err
    assert not any(path.endswith(("/plan", "/fix")) for path in server.paths())


@pytest.mark.parametrize("wanted", ["plan", "detect"])
def test_where_models_lie_is_not_told_to_a_server(album, server, capsys, wanted):
    assert run(wanted, album / "a.png", "--remote", server.url, "--yolo", album) == 2
    assert "run on the server, which ignores --yolo" in capsys.readouterr().err


def test_a_server_that_is_not_there_ends_the_command(album, capsys):
    with answering() as gone:
        url = gone.url
    assert run("fix", album, "--remote", url) == 1
    assert "cannot reach" in capsys.readouterr().err


def test_a_picture_that_the_server_refuses_does_not_stop_the_rest(album, tmp_path, server, capsys):
    fix = server.routes["POST /facefix/v1/fix"]
    server.routes["POST /facefix/v1/fix"] = [Reply(413, {"detail": "64 MiB at most"}), fix]
    assert run("fix", album, "--method", "restore", "-o", tmp_path / "out", "--remote", server.url) == 1
    assert set(files(tmp_path / "out")) == {"deep/b.jpg", "c.tif", "small.webp"}
    assert "a.png: failed: the image is too large" in capsys.readouterr().err


def test_ctrl_c_cancels_the_work_there(album, server, monkeypatch, capsys):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(client.time, "sleep", stop)
    assert run("fix", album / "a.png", "--method", "restore", "--remote", server.url) == 130
    assert server.paths()[-1] == "DELETE /facefix/v1/jobs/1"
    assert not (album / "a.fixed.png").exists()
    assert "0 of 1 images done" in capsys.readouterr().err


# A WebUI without FaceFix


def test_a_webui_without_facefix_redraws_the_faces_and_nothing_else(album, webui, capsys):
    asked = ["--method", "re-diffuse", "--no-match-colour", "--face", "2:method=leave", "--native", "64"]
    assert run("fix", album / "a.png", *asked, "--remote", webui.url) == 0
    before, after = (opened(base64.b64encode((album / name).read_bytes())) for name in ("a.png", "a.fixed.png"))
    assert after[60, 60].astype(int) == pytest.approx(255 - before[60, 60].astype(int), abs=6)
    changed = np.argwhere((before != after).any(axis=2))
    assert (changed[:, 1] < 130).all()
    assert "has no FaceFix: it re-diffuses faces at about 64 px; this machine does the rest" in capsys.readouterr().err
    assert read_picture(album / "a.fixed.png").metadata.parameters == INFOTEXT


def test_faces_are_redrawn_by_what_the_picture_was_made_from(album, webui):
    run("fix", album / "a.png", "--method", "re-diffuse", "--prompt", "[PROMPT], old", "--remote", webui.url)
    bodies = [asked.body for asked in webui.asked if asked.path.endswith("img2img")]
    assert [body["seed"] for body in bodies] == [9, 10]
    for body in bodies:
        told = {"prompt": "a crowd, old", "negative_prompt": "blurry", "steps": 12, "sampler_name": "DPM++ 2M"}
        told |= {"scheduler": "Karras", "cfg_scale": 5.5, "override_settings": {}}
        assert {name: body[name] for name in told} == told


def test_a_face_that_the_webui_cannot_draw_is_named_and_keeps_its_bytes(album, webui, capsys):
    webui.routes["POST /sdapi/v1/img2img"] = Reply(500, {"error": "X", "detail": "", "errors": "A tensor with NaNs"})
    assert run("fix", album / "a.png", "--method", "re-diffuse", "--remote", webui.url) == 1
    assert (album / "a.fixed.png").read_bytes() == (album / "a.png").read_bytes()
    assert "face 2 failed" in (said := capsys.readouterr().out)
    assert "A tensor with NaNs" in said


def test_a_face_that_is_to_be_restored_is_restored_here(album, webui):
    assert run("fix", album / "a.png", "--method", "restore", "-o", album / "out.png", "--remote", webui.url) == 0
    run("fix", album / "a.png", "--method", "restore")
    assert (album / "out.png").read_bytes() == (album / "a.fixed.png").read_bytes()
    assert not any(path.endswith("img2img") for path in webui.paths())
