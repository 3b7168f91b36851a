"""The parts of a net give together what the net gives, in torch and exported.

The weights are random, by seed, in the true architecture (see nets_made.py); GFPGAN is at full size. By hand, at full
size, one thread, for one face and for two, the largest difference was, in deviations of the net's picture:

            torch    ONNX Runtime   OpenVINO
GFPGAN      4e-6     5e-6           1e-5
CodeFormer  6e-5     2e-4           2e-4      at w = 0, 0.5 and 1
Restore-    6e-4     2e-4           2e-4      and RestoreFormer++ (torch not measured)
Former
"""

import warnings

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("spandrel")
pytest.importorskip("spandrel_extra_arches")

import nets_made  # noqa: E402

from lib_facefix.nets import load_net, stages  # noqa: E402

EXACT = 2e-3  # of the deviation of the picture


@pytest.fixture(autouse=True)
def _quiet():
    with nets_made.quiet():
        yield


def load(net, folder):
    torch.save(net.state_dict(), folder / "net.pth")
    return load_net(folder / "net.pth")


@pytest.fixture
def loaded(tmp_path):
    return lambda net: load(net, tmp_path)


@pytest.fixture(scope="module")
def codeformer(tmp_path_factory):
    """CodeFormer, its parts, a face, what its authors' code makes of it at w = 0.5, and what the first part gives."""
    with nets_made.quiet():
        authors = nets_made.codeformer()
        net = load(authors, tmp_path_factory.mktemp("codeformer"))
        face = nets_made.faces(1)
        codes, picture = stages(net)
        return net, picture, face, authors(face, 0.5, adain=True)[0], codes.module(face)


def run(parts, picture):
    """Feed each part what the one before gave."""
    between = (picture,)
    for part in parts:
        assert len(between) == len(part.inputs)
        answer = part.module(*between)
        between = answer if isinstance(answer, tuple) else (answer,)
        assert len(between) == len(part.outputs)
    return between[0]


def difference(one, other):
    return float((one - other).abs().max() / other.std())


@pytest.fixture(scope="module")
def gfpgan(tmp_path_factory):
    """GFPGAN, a face, and what its authors' code makes of it with the noise of its file."""
    with nets_made.quiet():
        authors = nets_made.gfpgan()
        net = load(authors, tmp_path_factory.mktemp("gfpgan"))
        face = nets_made.faces(1)
        return net, face, authors(face, randomize_noise=False)[0]


def test_gfpgan_gives_its_authors_picture_with_the_noise_of_its_file(gfpgan):
    net, face, authors = gfpgan

    assert (net.spec.kind, net.spec.low, net.spec.high, net.spec.size) == ("face", -1, 1, 512)
    assert torch.equal(net.module(face), authors)


def test_gfpgan_with_constant_weights_gives_gfpgans_picture(gfpgan):
    net, face, authors = gfpgan
    [whole] = stages(net)

    assert difference(run([whole], face), authors) < 3e-5
    own = {weight.data_ptr() for weight in net.module.parameters()}
    large = [value for value in whole.module.state_dict().values() if value.numel() > 1e6]
    assert {value.data_ptr() for value in large} <= own, "weights were copied"


def test_codeformer_is_called_with_w_and_the_colours_of_the_input(codeformer):
    net, _, face, authors, _ = codeformer

    assert net.spec.fused
    assert torch.equal(net.module(face, torch.tensor([0.5])), authors)


def test_codeformer_is_cut_behind_its_codes(codeformer):
    net, picture, _, authors, between = codeformer

    assert [part.bf16 for part in stages(net)] == [False, True]
    assert picture.inputs[-1] == "w"
    assert difference(picture.module(*between, torch.tensor([0.5])), authors) < EXACT


def test_codeformer_without_fusion_is_codeformer_at_w_0(codeformer):
    net, picture, _, _, between = codeformer
    codes, plain = stages(net, w_is_zero=True)

    assert codes.outputs == plain.inputs == ("codes",)
    assert {codes.name, plain.name}.isdisjoint(part.name for part in stages(net))
    assert torch.equal(plain.module(between[0]), picture.module(*between, torch.zeros(1)))


@pytest.mark.parametrize("make", [nets_made.restoreformer, nets_made.restoreformer_plus])
def test_restoreformer_is_cut_behind_its_codes(loaded, make):
    net = loaded(make())
    picture = nets_made.faces(1, 128)
    parts = stages(net)

    assert [part.bf16 for part in parts] == [False, True]
    assert difference(run(parts, picture), net.module(picture)) < EXACT


def exported(part, given, path):
    changing = {name: {0: "n"} for name in (*part.inputs, *part.outputs)}
    if part.flexible:
        changing["picture"] |= {2: "height", 3: "width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sizes that are fixed, and of the exporter's age
        torch.onnx.export(
            part.module,
            given,
            str(path),
            input_names=part.inputs,
            output_names=part.outputs,
            dynamic_axes=changing,
            opset_version=17,
            dynamo=False,
        )


def on_onnxruntime(parts, example, picture, folder):
    """Export all parts with the example and run them on the picture."""
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    between = (picture,)
    for part in parts:
        path = folder / f"{part.name}.onnx"
        exported(part, example, path)
        answer = part.module(*example)
        example = answer if isinstance(answer, tuple) else (answer,)
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        given = {name: value.numpy() for name, value in zip(part.inputs, between, strict=True)}
        between = tuple(torch.from_numpy(value) for value in session.run(None, given))
    return between[0]


@pytest.mark.parametrize(
    ("make", "heads"),
    [
        pytest.param(nets_made.compact, {}, id="SRVGG"),
        pytest.param(nets_made.esrgan, {}, id="RRDBNet"),
        pytest.param(nets_made.esrgan, {"in_nc": 12, "shuffle_factor": 2}, id="RRDBNet x2"),
    ],
)
def test_an_exported_upscaler_takes_pictures_of_any_size(loaded, tmp_path, make, heads):
    net = loaded(make(**heads))
    parts = stages(net)
    pictures = nets_made.faces(2, 64, low=0.0)[:, :, :61, :43]

    assert parts[0].flexible
    answer = on_onnxruntime(parts, (nets_made.faces(1, 32, low=0.0),), pictures, tmp_path)
    assert answer.shape == (2, 3, 61 * net.spec.scale, 43 * net.spec.scale)
    assert difference(answer, net.module(pictures)) < EXACT


def test_exported_codes_serve_any_number_of_faces(loaded, tmp_path):
    net = loaded(nets_made.restoreformer())
    pictures = nets_made.faces(2, 128)

    answer = on_onnxruntime(stages(net), (pictures[:1],), pictures, tmp_path)
    assert difference(answer, net.module(pictures)) < EXACT
