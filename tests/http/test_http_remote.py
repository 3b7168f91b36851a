"""The client and `facefix --remote` against a real `facefix serve`: the same bytes as here."""

import io
import json
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from test_http_serve import Served
from watched import Watching

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.cli.__main__ import main
from lib_facefix.client.client import Client
from lib_facefix.client.remote import RemoteFaceFix
from lib_facefix.errors import Refused
from lib_facefix.pictures import read_picture
from lib_facefix.settings.options import schema

GROUP = Path(__file__).parents[2] / "examples" / "group.jpg"
TOKEN = "s3cret"
RESTORE = FaceSettings(method="restore", fidelity=0.3)


@pytest.fixture(scope="module")
def served():
    running = Served("--token", TOKEN)
    yield f"http://127.0.0.1:{running.port}"
    running.stop()


@pytest.fixture
def client(served):
    return Client(served, token=TOKEN)


@pytest.fixture
def album(tmp_path):
    """Pictures of several kinds, one of them broken."""
    folder = tmp_path / "album"
    folder.mkdir()
    with Image.open(GROUP) as photo:
        said = PngInfo()
        said.add_text("parameters", "a crowd\nSteps: 12, Sampler: Euler, Seed: 9")
        photo.save(folder / "a.png", pnginfo=said)
        photo.transpose(Image.Transpose.ROTATE_90).save(folder / "b.jpg", quality=88)
        photo.resize((photo.width // 2, photo.height // 2)).save(folder / "e.webp", quality=80)
        deep = np.asarray(photo)[..., ::-1].astype(np.uint16) * 257
    cv2.imwrite(str(folder / "c.png"), np.maximum(deep, 3) - 3)
    (folder / "d.jpg").write_bytes(b"\xff\xd8 no more")
    return folder


def run(*arguments):
    return main([str(argument) for argument in arguments])


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(["--face", "2:method=leave", "--face", "3:fidelity=0.9"], id="each face by itself"),
        pytest.param(["--upscale", "1.5", "--mask", "box"], id="enlarged"),
    ],
)
def test_a_folder_is_fixed_there_to_the_byte_as_here(album, tmp_path, served, flags, capsys, monkeypatch):
    told = []
    monkeypatch.setenv("FACEFIX_TOKEN", TOKEN)
    for name, more in (("here", []), ("there", ["--remote", served])):
        report = tmp_path / f"{name}.json"
        assert run("fix", album, "-o", tmp_path / name, "--method", "restore", "--report", report, *flags, *more) == 1
        said = capsys.readouterr()
        lines = [line for line in said.out.replace(f"/{name}/", "/").splitlines() if "images/s" not in line]
        told.append((lines, said.err, facts(report, name)))
    assert told[0] == told[1]
    assert files(tmp_path / "here") == files(tmp_path / "there")
    assert set(files(tmp_path / "here")) == {"a.png", "b.jpg", "c.png", "e.webp"}
    assert not set(files(tmp_path / "here").values()) & set(files(album).values())


def facts(report, name):
    """Return what a report says but for the time it took, and where it was written."""
    pictures = json.loads(report.read_text().replace(f"/{name}/", "/"))["pictures"]
    for timed in (one for picture in pictures for one in (picture, *picture["faces"])):
        timed["seconds"] = 0
    return pictures


@pytest.mark.parametrize("name", ["a.png", "b.jpg", "c.png", "e.webp"])
def test_a_file_that_the_client_sends_comes_back_as_the_command_line_writes_it(album, client, name):
    run("fix", album / name, "--method", "restore", "--fidelity", "0.3", "-o", album / f"new.{name}")
    assert client.fix((album / name).read_bytes(), RESTORE).image == (album / f"new.{name}").read_bytes()


@pytest.fixture
def cut_off(album):
    """A JPEG whose last tenth is missing."""
    with Image.open(GROUP) as photo:
        photo.reduce(2).save(album / "whole.jpg", quality=90)
    whole = (album / "whole.jpg").read_bytes()
    (album / "cut.jpg").write_bytes(whole[: len(whole) * 9 // 10])
    return album / "cut.jpg"


def test_of_a_file_that_is_cut_off_the_client_has_the_part_that_is_there_on_request(cut_off, client):
    sent = cut_off.read_bytes()
    here = read_picture(cut_off, salvage=True).image
    plan = FaceFix().plan(here, RESTORE)
    calls = (client.detect, client.plan, client.fix, lambda sent, **more: client.preview(sent, plan, **more))
    for call in calls:
        with pytest.raises(Refused, match=r'is cut off.* "salvage": true'):
            call(sent)
    assert [face["box"] for face in client.detect(sent, RESTORE, salvage=True)] == [
        face["box"] for face in plan.to_json()["faces"]
    ]
    assert client.plan(sent, RESTORE, salvage=True).to_json() == plan.to_json()
    assert client.preview(sent, plan, salvage=True).startswith(b"\x89PNG")

    fixed = client.fix(sent, RESTORE, salvage=True)
    assert "The file is cut off. Its missing part is grey." in fixed.report["notes"]
    with Image.open(io.BytesIO(fixed.image)) as made:
        back = np.asarray(made.convert("RGB"), int)
    assert np.abs(back[-8:] - 128).max() <= 2  # where nothing was
    assert np.abs(back[:100] - here[:100]).mean() < 2


def test_the_command_line_salvages_here_what_is_fixed_there(cut_off, tmp_path, served, monkeypatch, capsys):
    monkeypatch.setenv("FACEFIX_TOKEN", TOKEN)
    flags = ("--method", "restore", "--salvage")
    assert run("fix", cut_off, "-o", tmp_path / "refused.jpg", "--remote", served) == 1
    assert "is cut off" in capsys.readouterr().err
    assert run("fix", cut_off, "-o", tmp_path / "here.jpg", *flags) == 0
    assert run("fix", cut_off, "-o", tmp_path / "there.jpg", *flags, "--remote", served) == 0
    assert (tmp_path / "there.jpg").read_bytes() == (tmp_path / "here.jpg").read_bytes()
    for command in ("detect", "plan"):
        assert run(command, cut_off, "--salvage", "--remote", served, "-o", tmp_path / command) == 0


def test_settings_plans_faces_and_previews_are_those_of_this_machine(album, client):
    image = read_picture(album / "a.png").image
    sent = (album / "a.png").read_bytes()
    plan = FaceFix().plan(image, RESTORE)
    assert client.plan(sent, RESTORE).to_json() == plan.to_json()
    again = client.replan(plan, FaceSettings(min_size=80), overrides={1: {"method": "leave"}})
    assert (
        again.to_json()
        == FaceFix().plan(image, FaceSettings(min_size=80), overrides={1: {"method": "leave"}}).to_json()
    )
    assert [face["box"] for face in client.detect(sent)] == [face["box"] for face in plan.to_json()["faces"]]
    assert client.settings() == schema(FaceSettings)
    assert client.preview(sent, plan).startswith(b"\x89PNG")
    assert {"name", "here"} <= set(client.models()["restorers"][0])


def test_many_clients_at_once_are_all_served(album, served):
    image = read_picture(album / "e.webp").image
    remote = RemoteFaceFix(Client(served, token=TOKEN))
    plan = remote.plan(image, RESTORE)
    results = []

    def ask():
        results.append(remote.run([image], [plan], progress=Watching())[0])

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [here] = FaceFix().run([image], [plan])
    assert len(results) == 12
    assert all((result.image == here.image).all() for result in results)


def test_what_the_server_refuses_is_told_with_its_place(album, client, served):
    with pytest.raises(Refused, match="a plan contains all settings; edit it") as caught:
        client.fix((album / "e.webp").read_bytes(), RESTORE, plan=client.plan((album / "e.webp").read_bytes()))
    assert caught.value.status == 422
    with pytest.raises(Refused, match=r"rejected the request: .*batch|folder") as caught:
        client.batch("/etc", "/tmp/out")
    assert caught.value.status == 403
    with pytest.raises(Refused, match="does not accept these credentials"):
        Client(served, token="nope").models()


@pytest.mark.parametrize("command", ["fix", "fix --dry-run", "detect", "plan"])
def test_a_detector_that_the_server_cannot_use_is_told_once(album, tmp_path, served, command, monkeypatch, capsys):
    monkeypatch.setenv("FACEFIX_TOKEN", TOKEN)
    flags = ("-o", tmp_path / "out", "--remote", served, "--detector", tmp_path / "net.onnx")
    assert run(*command.split(), album, *flags) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("outside the model folders")) == ("", 1)
    assert told.err.startswith(f"facefix: {served}")
    assert not (tmp_path / "out").exists()
