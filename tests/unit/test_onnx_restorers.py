"""Face restorers in ONNX files: what is read from the graph, the trial run, and how faces are given to them."""

import hashlib
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import restorers_made as made
from PIL import Image

from lib_facefix import FaceFix
from lib_facefix.errors import BadModel, MissingPackage
from lib_facefix.fixers import onnx_net
from lib_facefix.fixers.onnx_net import AT_ONCE, PROCESSOR, OnnxNet, from_file, from_published
from lib_facefix.fixers.onnx_trial import Tried, draw_face
from lib_facefix.models.store import ModelStore
from lib_facefix.planning.plan import FaceJob
from lib_facefix.registry import RESTORERS
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.settings.runtime import Runtime
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Crop, Face, Pose
from lib_facefix.weights import PUBLISHED, RestorerLayout, read_restorer


@pytest.fixture
def file(tmp_path):
    """Write the content of a model to a file."""

    def write(content, name="net.onnx"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def load(file, tmp_path):
    return lambda content: from_file(file(content), tmp_path / "cache")


def job(fidelity):
    return FaceJob(1, Face(Box(0, 0, 9, 9), 1.0), "restore", "", Treatment(fidelity=fidelity), Pose(0, 0, 0), 0.5)


def noise(side):
    return np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)


def fixed(restorer, images, fidelity=0.0):
    jobs = [job(fidelity)] * len(images)
    return [one.patch for one in restorer.fix([Crop(image, np.eye(2, 3)) for image in images], jobs)]


@pytest.mark.parametrize("side", [256, 512, 1024, 2048])
def test_the_frame_follows_the_net_so_that_no_pixel_of_the_face_is_lost(load, side):
    restorer = load(made.restorer(side=side))
    face = Face(Box(0, 0, 9, 9), 1.0, np.array([[200, 240], [310, 240], [256, 310], [210, 370], [305, 370]], float))
    framing = restorer.framing(job(0.0))
    assert framing.size == side
    assert framing.matrix(face) * (512 / side) == pytest.approx(replace(framing, size=512).matrix(face))
    image = noise(side)
    assert (fixed(restorer, [image])[0] == image).all()


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        pytest.param(made.restorer(side=1024), ("float32", 1024, 1024, False, ""), id="as most are"),
        pytest.param(made.restorer(count="faces"), ("float32", 512, 512, True, ""), id="any number of faces"),
        pytest.param(made.restorer(side="side"), ("float32", 0, 0, False, ""), id="any size"),
        pytest.param(made.restorer(dtype="float16"), ("float16", 512, 512, False, ""), id="half precision"),
        pytest.param(made.codeformer(), ("float32", 512, 512, False, "weight"), id="CodeFormer"),
        pytest.param(
            made.enlarging(2, side=512, restored=1024), ("float32", 512, 1024, False, ""), id="one that enlarges"
        ),
    ],
)
def test_the_layout_is_read_from_the_graph(file, content, layout):
    found = read_restorer(file(content))
    assert found.image == "input"
    assert (found.dtype, found.side, found.restored_side, found.batches, found.fidelity) == layout


def test_codeformers_codes_and_features_are_not_taken_for_its_image(load):
    restorer = load(
        made.restorer(
            made.node("ReduceMean", ["input"], "codes", axes=[1], keepdims=0),
            made.node("Concat", ["input", "input"], "features", axis=1),
            made.node("Identity", ["input"]),
            outputs=[made.value("codes", [1, 512, 512]), made.value("features", [1, 6, 512, 512])],
        )
    )
    image = noise(512)
    assert (fixed(restorer, [image])[0] == image).all()


def test_operators_of_onnx_runtime_itself_are_let_through(load):
    gelu = made.helper.make_node("Gelu", ["input"], ["output"], domain="com.microsoft")
    [result] = fixed(load(made.restorer(gelu, domain="com.microsoft")), [np.full((512, 512, 3), 255, np.uint8)])
    assert (result == 235).all()  # 0.841 in -1..1


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)], ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_codeformers_fidelity_is_the_slider_and_its_result_is_not_blended(load, shape, dtype):
    restorer = load(made.codeformer(shape=shape, dtype=dtype))
    white = np.full((512, 512, 3), 255, np.uint8)
    results = {fidelity: fixed(restorer, [white], fidelity)[0] for fidelity in (0.0, 0.25, 0.5, 1.0)}
    # the net gives back w times the image in -1..1, so white becomes 127.5 (1 + w)
    assert {fidelity: int(result[5, 5, 0]) for fidelity, result in results.items()} == {
        0.0: 128, 0.25: 159, 0.5: 191, 1.0: 255
    }  # fmt: skip
    assert restorer.list_blends() == ()
    assert restorer.batch_key(job(0.2)) != restorer.batch_key(job(0.3))


def test_without_a_fidelity_the_result_is_blended_over_the_photo(load):
    restorer = load(made.times(-1.0))
    black = np.zeros((512, 512, 3), np.uint8)
    assert [int(fixed(restorer, [black], fidelity)[0][0, 0, 0]) for fidelity in (0.0, 0.6, 1.0)] == [255, 222, 0]
    assert restorer.batch_key(job(0.2)) == restorer.batch_key(job(0.3)) is None


@pytest.mark.parametrize(
    ("content", "limits"),
    [
        pytest.param(made.restorer(), (-1, 1), id="changes nothing"),
        pytest.param(made.clipped(-1, 1), (-1, 1), id="-1 to 1"),
        pytest.param(made.clipped(0, 1), (0, 1), id="0 to 1"),
        pytest.param(made.restorer(made.node("Sin", ["input"])), (-1, 1), id="fits both"),
        pytest.param(made.times(-0.4), (-1, 1), id="not like the photo"),
    ],
)
def test_the_range_is_found_by_a_trial_run(load, content, limits):
    spec = load(content)._runner.spec
    assert (spec.low, spec.high) == limits
    image = noise(512)
    if limits == (0, 1):
        assert (fixed(load(content), [image])[0] == image).all()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(made.times(255), "its values are neither -1 to 1 nor 0 to 1", id="0 to 255"),
        pytest.param(made.times(0), "returns a blank image in a trial run", id="blank"),
        pytest.param(
            made.restorer(made.node("Log", ["input"])), "returns undefined values in a trial run", id="undefined"
        ),
        pytest.param(
            made.restorer(
                made.node("Slice", ["input", "start", "end"]),
                weights=[made.number("start", [0, 0, 0, 0], "int64"), made.number("end", [1, 3, 500, 512], "int64")],
                side="side", restored="other",
            ),
            r"returns \(1, 3, .*\) for an image of",
            id="not square",
        ),
        pytest.param(
            made.restorer(
                made.node("Reshape", ["input", "shape"]),
                weights=[made.number("shape", [1, 3, 77, 77], "int64")],
                restored="other",
            ),
            "fails in a trial run .*Reshape",
            id="one that fails",
        ),
        pytest.param(
            made.enlarging(8, side=512, restored="other"), "returns images of 4096 px", id="too large a face"
        ),
    ],
)  # fmt: skip
def test_what_a_trial_run_finds_unusable_is_refused(load, content, why):
    with pytest.raises(BadModel, match=rf"net\.onnx cannot be used as a restorer: it.*{why}|{why}"):
        load(content)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_net_for_any_size_is_given_the_size_whose_result_has_512_px(load, factor):
    restorer = load(made.enlarging(factor))
    spec = restorer._runner.spec
    assert (spec.size, spec.side) == (512 // factor, 512)
    image = noise(512 // factor).repeat(factor, 0).repeat(factor, 1)
    assert (fixed(restorer, [image])[0] == image).all()


def test_a_net_of_a_fixed_size_that_enlarges_has_the_frame_of_its_result(load):
    spec = load(made.enlarging(2, side=512, restored="other"))._runner.spec
    assert (spec.size, spec.side) == (512, 1024)


def test_half_precision_stays_within_a_level_of_the_same_net_in_full(load):
    image = noise(512)
    half, full = (fixed(load(made.times(0.503, dtype=kind)), [image])[0].astype(int) for kind in ("float16", "float32"))
    assert np.abs(half - full).max() == 1  # 16 bits have steps of 1/2048 near 1
    report = [one.engine for one in load(made.restorer(dtype="float16")).fix([Crop(image, np.eye(2, 3))], [job(0.0)])]
    assert report[0].startswith("ONNX Runtime ")
    assert report[0].endswith(" fp16")


@pytest.mark.parametrize(
    ("batches", "provider", "sizes"),
    [
        pytest.param(False, "CUDAExecutionProvider", [1] * 6, id="a net for one face"),
        pytest.param(True, PROCESSOR, [1] * 6, id="on a processor, where more save no time"),
        pytest.param(True, "CUDAExecutionProvider", [AT_ONCE, 2], id="on an accelerator"),
    ],
)
def test_faces_go_in_batches_where_the_net_takes_them(batches, provider, sizes):
    asked = []

    class Session:
        def get_providers(self):
            return [provider, PROCESSOR]

        def run(self, names, fed, options):
            [blob] = fed.values()
            asked.append(len(blob))
            return [blob]

    layout = RestorerLayout("input", "output", "float32", 256, 256, batches)
    net = OnnxNet(Session(), layout, Tried(-1.0, 1.0, 256, 256), "fake")
    images = [noise(256 + 0 * number) // (number + 1) for number in range(6)]
    answers = list(net.each(images, lambda image: image.transpose(2, 0, 1).astype(np.float32)))
    assert asked == sizes
    assert all((answer == image.transpose(2, 0, 1)).all() for (answer, _), image in zip(answers, images, strict=True))


def test_a_net_that_fails_on_a_face_says_so(load, monkeypatch):
    restorer = load(made.restorer())
    monkeypatch.setattr(restorer._runner, "_layout", replace(restorer._runner._layout, image="other"))
    with pytest.raises(BadModel, match=r"The net failed on ONNX Runtime .* Choose another model"):
        fixed(restorer, [noise(512)])


def test_a_trial_is_made_once_for_each_content_and_a_damaged_cache_is_ignored(file, tmp_path, monkeypatch):
    path, cache, trials = file(made.clipped(0, 1)), tmp_path / "cache", []
    real = onnx_net.try_net
    monkeypatch.setattr(onnx_net, "try_net", lambda *given: trials.append(1) or real(*given))
    for _ in range(2):
        assert from_file(path, cache)._runner.spec.low == 0
    assert len(trials) == 1
    assert json.loads((cache / "trials.json").read_text()) == {
        hashlib.sha256(path.read_bytes()).hexdigest(): [0.0, 1.0, 512, 512]
    }
    path.write_bytes(made.clipped(-1, 1))
    assert from_file(path, cache)._runner.spec.low == -1
    assert len(trials) == 2
    for damage in ('{"' + hashlib.sha256(path.read_bytes()).hexdigest() + '": [1, "x"]}', "[", "[]"):
        (cache / "trials.json").write_text(damage)
        assert from_file(path, cache)._runner.spec.low == -1
    assert len(trials) == 5


def test_the_drawing_of_the_trial_is_a_face_with_dark_and_bright_parts():
    drawn = draw_face(256)
    assert drawn.shape == (1, 3, 256, 256)
    assert drawn.min() > 0
    assert drawn.max() < 1
    assert drawn[0, :, 120, 96].max() < 0.1  # an iris, on the FFHQ template
    assert drawn[0, :, 128, 60].min() > 0.5  # skin


def published(monkeypatch, name, content):
    """Let a content be the published one of this file."""
    record = replace(PUBLISHED[name], sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    known = {**PUBLISHED, name: record}
    for place in ("lib_facefix.models.store", "lib_facefix.models.variants"):
        monkeypatch.setattr(f"{place}.find_record", lambda asked: known[asked])


@pytest.mark.parametrize("side", [256, 1024])
def test_gpen_is_known_by_name_needs_no_trial_and_the_report_names_its_file(
    file, tmp_path, monkeypatch, away_from_home, side
):
    content = made.restorer(side=side)
    published(monkeypatch, f"gpen_bfr_{side}.onnx", content)
    monkeypatch.setattr(onnx_net, "try_net", lambda *_: pytest.fail("a trial"))
    file(content, f"gpen_bfr_{side}.onnx")
    restorer = ModelStore(Runtime(models=str(tmp_path))).load(RESTORERS, f"gpen-{side}")
    assert restorer.framing(job(0.0)).size == side
    [one] = restorer.fix([Crop(noise(side), np.eye(2, 3))], [job(0.0)])
    assert one.engine.endswith(f" fp32, gpen_bfr_{side}.onnx")


def test_a_published_file_may_leave_sizes_open_and_return_more_images(file):
    assert from_published(file(made.restorer(side=1024, restored="any"))).framing(job(0.0)).size == 1024
    assert from_published(file(made.restorer(side="any", restored="any"))).framing(job(0.0)).size == 512
    more = made.restorer(
        made.node("Identity", ["input"]),
        made.node("Neg", ["input"], "negative"),
        outputs=[made.value("negative", [1, 3, 512, 512])],
    )
    image = noise(512)
    assert (fixed(from_published(file(more)), [image])[0] == image).all()


def test_gpen_that_is_not_what_was_published_is_refused(file, tmp_path, away_from_home):
    file(made.restorer(side=256), "gpen_bfr_256.onnx")
    with pytest.raises(BadModel, match=r"is not the published gpen_bfr_256\.onnx"):
        ModelStore(Runtime(models=str(tmp_path))).load(RESTORERS, "gpen-256")


def test_without_onnx_runtime_the_package_is_named_before_any_work(file, tmp_path, monkeypatch, away_from_home):
    monkeypatch.setattr("lib_facefix.registry.model_info.find_spec", lambda name: None)
    models, path = ModelStore(Runtime(models=str(tmp_path))), file(made.restorer())
    with pytest.raises(MissingPackage, match=r"net\.onnx needs the Python package 'onnxruntime'"):
        models.check(RESTORERS, str(path))
    with pytest.raises(MissingPackage, match="pip install onnxruntime"):
        models.load(RESTORERS, str(path))


def test_the_library_restores_with_a_file(file, picture, face_at, monkeypatch, away_from_home):
    """The face is mirrored, so it changes, and the report says what ran the net."""
    monkeypatch.setattr(
        "lib_facefix.facefix.make_detector",
        lambda *_: SimpleNamespace(detect=lambda image, score: (face_at(400, 300, size=200),)),
    )
    path = file(made.flipped(side=256))
    settings = FaceSettings(method="restore", restorer=str(path), fidelity=0.0, guard="off", mask="box")
    [result] = FaceFix(models=ModelStore(Runtime())).fix([picture], settings)
    [outcome] = result.outcomes
    assert (outcome.verdict, outcome.engine.split(" ")[:2]) == ("fixed", ["ONNX", "Runtime"])
    changed = np.abs(result.image.astype(int) - picture).max(2) > 8
    rows, columns = np.nonzero(changed)
    assert changed[250:350, 350:450].mean() > 0.5
    assert 280 < rows.mean() < 320
    assert 380 < columns.mean() < 420
    assert not changed[:100].any()


def test_a_file_that_is_no_restorer_is_blamed_once_before_any_picture(file, tmp_path, picture, capsys):
    from lib_facefix.cli.__main__ import main

    bad = file(made.restorer(side=128))
    for name in ("a.png", "b.png"):
        Image.fromarray(picture).save(tmp_path / name)
    assert main(["fix", str(tmp_path), "-o", str(tmp_path / "out"), "--restorer", str(bad)]) == 2
    said = capsys.readouterr()
    assert said.err.count("takes images of 128 px; supported are 256 to 2048 px") == 1
    assert said.out == ""
    assert not (tmp_path / "out").exists()


def test_the_store_keeps_a_net_until_its_file_changes(file, away_from_home):
    models, path = ModelStore(Runtime()), file(made.restorer())
    first = models.load(RESTORERS, str(path))
    assert models.load(RESTORERS, str(path)) is first
    path.write_bytes(made.restorer(side=256))
    assert models.load(RESTORERS, str(path)).framing(job(0.0)).size == 256
