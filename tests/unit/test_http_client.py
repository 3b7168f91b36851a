import base64

import numpy as np
import pytest
from answering import Reply, answering
from answering_facefix import Service, opened, packed
from watched import Watching

from lib_facefix import Face, FaceFix, FaceSettings
from lib_facefix.client import client as module
from lib_facefix.client.client import Client, Job
from lib_facefix.client.remote import RemoteFaceFix
from lib_facefix.errors import BadSetting, CannotReach, FaceFixError, Refused, Stopped
from lib_facefix.imaging.frames import Upright
from lib_facefix.planning.needs import Needs
from lib_facefix.protocols import EngineInfo, Fixed
from lib_facefix.registry import DETECTORS, LANDMARKERS, RESTORERS, ModelInfo
from lib_facefix.settings.face_prompt import GenerationParams

RESTORE = FaceSettings(method="restore", match_colour=False)


class Painter:
    def framing(self, job):
        return Upright(128)

    def batch_key(self, job):
        return "paint"

    def fix(self, crops, jobs):
        for crop in crops:
            yield Fixed(np.full_like(crop.image, 255), "a brush")


@pytest.fixture(autouse=True)
def parts(monkeypatch, face_at):
    class TwoFaces:
        def detect(self, image, min_score):
            return (face_at(200, 300), face_at(500, 320, degrees=10))

    class SeesNoMesh:
        def locate(self, image, face: Face):
            return face

    fakes = {DETECTORS["auto"]: TwoFaces, LANDMARKERS["facemesh"]: SeesNoMesh, RESTORERS["lite"]: Painter}
    monkeypatch.setattr(ModelInfo, "load", lambda info: fakes[info] if info in fakes else real(info))


real = ModelInfo.load


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """Wait for nothing; note how long it would have been."""
    noted = []
    monkeypatch.setattr(module.time, "sleep", noted.append)
    return noted


@pytest.fixture
def server():
    with answering(Service().routes) as answers:
        yield answers


@pytest.fixture
def client(server):
    return Client(server.url)


@pytest.fixture
def sent(picture):
    return base64.b64decode(packed(picture))


def test_a_plan_there_is_the_plan_here(client, picture, sent):
    overrides = {2: {"method": "leave"}}
    plan = client.plan(sent, RESTORE, overrides=overrides, origin=GenerationParams("a cat"))
    assert plan.to_json() == FaceFix().plan(picture, RESTORE, overrides=overrides).to_json()


def test_only_what_is_said_is_sent(client, server, sent):
    client.plan(sent)
    assert set(server.asked[-1].body) == {"image"}
    client.plan(sent, RESTORE, overrides={2: {"fidelity": 1.0}}, origin=GenerationParams("a cat", steps=5))
    body = server.asked[-1].body
    assert set(body) == {"image", "settings", "overrides", "origin"}
    assert FaceSettings.from_json(body["settings"]) == RESTORE
    assert body["overrides"] == {"2": {"fidelity": 1.0}}
    assert body["origin"]["steps"] == 5


@pytest.mark.parametrize("progress", [None, Watching()], ids=["in one call", "as a job"])
def test_a_picture_is_fixed_there_as_it_is_here(client, picture, sent, progress):
    fixed = client.fix(sent, RESTORE, progress=progress)
    [here] = FaceFix().fix([picture], RESTORE)
    assert (opened(base64.b64encode(fixed.image)) == here.image).all()
    assert [face["outcome"] for face in fixed.report["faces"]] == ["fixed", "fixed"]
    assert progress is None or progress.steps == [(1, 2, "face 1 fixed")]


def test_faces_are_found_there(client, sent):
    assert [face["number"] for face in client.detect(sent)] == [1, 2]


def test_what_is_on_offer_there_is_listed_by_kind(client):
    assert [one["name"] for one in client.models()["restorers"]] == ["auto", "lite", "gfpgan"]
    assert "version" not in client.models()


def test_a_preview_comes_as_a_picture(client, server, sent):
    server.routes["POST /facefix/v1/preview"] = {"version": 1, "image": base64.b64encode(b"png").decode()}
    assert client.preview(sent, client.plan(sent)) == b"png"
    assert set(server.asked[-1].body) == {"image", "plan"}


def test_a_folder_there_is_fixed_as_a_job(client, server):
    server.routes["POST /facefix/v1/batch"] = Reply(202, {"version": 1, "job": "7"})
    told = {"version": 1, "job": "7", "state": "running", "done": 3, "total": 50, "doing": "a.jpg", "new in 2": 1}
    server.routes["GET /facefix/v1/jobs/7"] = told
    assert client.batch("in", "out", RESTORE) == Job("7", "running", 3, 50, "a.jpg")
    assert server.last("/facefix/v1/batch").body["folder"] == "in"
    assert "overwrite" not in server.last("/facefix/v1/batch").body

    client.batch("in", "out", overwrite=True)
    assert server.last("/facefix/v1/batch").body == {"folder": "in", "output": "out", "overwrite": True}


def test_a_person_who_stops_cancels_the_job_and_has_what_is_done(client, server, sent):
    service = Service()
    server.routes = service.routes
    states = ["running", "running", "running", "done"]
    server.routes["POST /facefix/v1/fix"] = lambda asked: slow(service, asked, states)
    progress = Watching(stop_after=1)
    assert client.fix(sent, RESTORE, progress=progress).report["faces"]
    assert server.paths().count("DELETE /facefix/v1/jobs/1") == 1


def slow(service, asked, states):
    reply = service.fix(asked)
    service.jobs["1"] = states, service.jobs["1"][1]
    return reply


def test_a_job_that_was_stopped_before_anything_was_done_says_so(client, server, sent):
    server.routes["GET /facefix/v1/jobs/1"] = {"state": "stopped", "result": None}
    with pytest.raises(Stopped):
        client.fix(sent, RESTORE, progress=Watching())


def test_ctrl_c_cancels_the_job(client, server, sent, monkeypatch):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.time, "sleep", stop)
    with pytest.raises(KeyboardInterrupt):
        client.fix(sent, RESTORE, progress=Watching())
    assert server.paths()[-1] == "DELETE /facefix/v1/jobs/1"


def test_a_job_that_failed_tells_why(client, server, sent):
    server.routes["GET /facefix/v1/jobs/1"] = {"state": "failed", "error": "no memory is left"}
    with pytest.raises(FaceFixError, match=f"{client.transport.url}: no memory is left"):
        client.fix(sent, RESTORE, progress=Watching())


def test_a_look_that_fails_does_not_lose_the_job(client, server, sent):
    lost = Reply(raw=b"oh")
    found = server.routes["GET /facefix/v1/jobs/1"]
    server.routes["GET /facefix/v1/jobs/1"] = [lost, lost, found]
    assert client.fix(sent, RESTORE, progress=Watching()).report["faces"]


def test_a_job_that_is_lost_is_given_up(client, server, sent):
    server.routes["GET /facefix/v1/jobs/1"] = Reply(raw=b"oh")
    with pytest.raises(CannotReach):
        client.fix(sent, RESTORE, progress=Watching())
    assert server.paths().count("GET /facefix/v1/jobs/1") == module.MAX_LOST_POLLS


def test_a_job_s_name_cannot_lead_elsewhere(client, server):
    with pytest.raises(Refused):
        client.job("../models?x")
    assert server.asked[-1].path == "/facefix/v1/jobs/..%2Fmodels%3Fx"


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"image": "!"}, {"image": 5}, "x"], ids=["nothing", "list", "none", "text", "number", "x"]
)
def test_an_answer_of_another_program_is_told_in_words(client, server, sent, answer):
    server.routes = {"POST /facefix/v1/fix": Reply(content=answer), "GET /facefix/v1/models": Reply(content=[answer])}
    with pytest.raises(CannotReach, match="does not respond like FaceFix"):
        client.fix(sent)
    with pytest.raises(CannotReach, match="does not respond like FaceFix"):
        client.models()


# The engine that sends pixels


def test_the_result_from_there_is_the_result_here_to_the_last_number(client, picture):
    remote = RemoteFaceFix(client)
    settings = FaceSettings(method="restore", upscale="1.5", at_most=1)
    plan = remote.plan(picture, settings)
    [there] = remote.run([picture], [plan])
    [here] = FaceFix().run([picture], [plan])
    assert (there.image == here.image).all()
    assert without_seconds(there) == without_seconds(here)
    assert there.outcomes[0].job.number == 1


def without_seconds(result):
    faces = [{**face, "seconds": 0} for face in result.to_json()["faces"]]
    return {**result.to_json(), "faces": faces}


def test_a_face_that_failed_there_has_its_sentence_here(client, server, picture):
    remote = RemoteFaceFix(client)
    plan = remote.plan(picture, FaceSettings(method="re-diffuse"), origin=GenerationParams())
    [result] = remote.run([picture], [plan])
    assert [outcome.verdict for outcome in result.outcomes] == ["failed", "failed"]
    assert "re-diffusing needs Stable Diffusion" in str(result.outcomes[0].error)


def test_a_picture_of_another_size_than_asked_for_is_refused(client, server, picture):
    remote = RemoteFaceFix(client)
    plan = remote.plan(picture, RESTORE)
    small = {"version": 1, "image": packed(picture[:100]), "size": [800, 600], "faces": [], "upscale": None}
    server.routes["POST /facefix/v1/fix"] = small
    with pytest.raises(CannotReach, match="no image of the requested size"):
        remote.run([picture], [plan])


@pytest.mark.parametrize(
    "broken",
    [{"faces": 5}, {"faces": [{}]}, {"size": [1]}, {"size": None}, {"upscale": 5}],
    ids=lambda broken: "".join(broken),
)
def test_a_report_that_cannot_be_read_is_told_in_words(client, server, picture, broken):
    remote = RemoteFaceFix(client)
    plan = remote.plan(picture, RESTORE)
    whole = {"version": 1, "image": packed(picture), "size": [800, 600], "faces": [], "upscale": None}
    server.routes["POST /facefix/v1/fix"] = {**whole, **broken}
    with pytest.raises(FaceFixError):
        remote.run([picture], [plan])


def test_a_model_that_is_not_there_is_refused_before_anything_is_sent(server):
    server.routes = Service(lacking=("gfpgan",)).routes
    remote = RemoteFaceFix(Client(server.url))
    remote.prepare(needs())
    with pytest.raises(BadSetting, match="has no restorer 'gfpgan'; available: auto, lite"):
        remote.prepare(Needs.of_settings(FaceSettings(), {2: {"restorer": "gfpgan"}}))
    with pytest.raises(BadSetting, match=r"has no upscaler 'my\.pth'; available: lanczos"):
        remote.prepare(needs(upscale="2", upscaler="my.pth"))
    with pytest.raises(BadSetting, match="has no Stable Diffusion, so it cannot re-diffuse"):
        remote.prepare(needs(method="re-diffuse"))


def needs(**settings):
    return Needs.of_settings(FaceSettings(**settings))


def test_the_engine_says_where_it_works_and_what_it_can_do(server):
    for rediffuses in (False, True):
        server.routes = Service(rediffuses=rediffuses).routes
        info = RemoteFaceFix(Client(server.url)).describe()
        assert info == EngineInfo(server.url, rediffuses=rediffuses, loads_models=False)


def test_faces_are_planned_again_there_without_the_picture(client, server, picture):
    remote = RemoteFaceFix(client)
    plan = remote.plan(picture, RESTORE)
    before = len(server.asked)
    settings = FaceSettings(fidelity=0.9, at_most=1, upscale="2")
    again = remote.replan(plan, settings, overrides={2: {"mask": "box"}})
    assert again.to_json() == remote.plan(picture, settings, overrides={2: {"mask": "box"}}).to_json()
    assert "image" not in server.asked[before].body
