"""Face parsers of the true architectures, with random weights: facexlib's own code is what they are held to."""

import importlib
import importlib.util
import sys
import types
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lib_facefix import FaceFix, FaceSettings  # noqa: E402
from lib_facefix.errors import BadModel  # noqa: E402
from lib_facefix.maskers.occluders import XSeg  # noqa: E402
from lib_facefix.maskers.parser import LAYOUTS, SIDE, FaceParser  # noqa: E402
from lib_facefix.nets.face_parsers import KNOWN, load_parser  # noqa: E402
from lib_facefix.planning.planner import make_plan  # noqa: E402

both = pytest.mark.parametrize("name", list(KNOWN))


def shuffled(net):
    """Return the net with statistics and scales as a trained one may have, so that nothing cancels out."""
    torch.manual_seed(3)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    return net.eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def facexlib():
    """facexlib's nets; its package is not imported as a whole, as it wants what they do not need."""
    found = importlib.util.find_spec("facexlib")
    if found is None:
        pytest.skip("the package facexlib is missing")
    room = types.ModuleType("facexlib_parsing")
    room.__path__ = [f"{found.submodule_search_locations[0]}/parsing"]
    sys.modules["facexlib_parsing"] = room
    try:
        parsenet = importlib.import_module("facexlib_parsing.parsenet").ParseNet(512, 512, parsing_ch=19)
        bisenet = importlib.import_module("facexlib_parsing.bisenet").BiSeNet(num_class=19)
        return {"ParseNet": parsenet, "BiSeNet": bisenet}
    finally:
        for module in [module for module in sys.modules if module.startswith("facexlib_parsing")]:
            del sys.modules[module]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A weights file of each architecture."""
    folder = tmp_path_factory.mktemp("parsers")
    for name, (_, net) in KNOWN.items():
        torch.save(shuffled(net()).state_dict(), folder / f"{name}.pth")
    return {name: folder / f"{name}.pth" for name in KNOWN}


@both
def test_the_answer_is_that_of_facexlibs_own_code(name, facexlib, tmp_path):
    theirs = shuffled(facexlib[name])
    torch.save(theirs.state_dict(), tmp_path / "theirs.pth")
    side = 512 if name == "BiSeNet" else 128  # both take any size; ParseNet takes 5 s for 512 px
    face = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(7))
    with torch.inference_mode():
        wanted = theirs(face)[0].numpy()

    architecture, run = load_parser(tmp_path / "theirs.pth")

    assert architecture == name
    assert wanted.std() > 0.01
    assert np.abs(run(face.numpy()) - wanted).max() < 1e-5


@both
def test_every_weight_of_facexlibs_file_is_known_but_those_of_its_other_heads(name, facexlib):
    theirs, ours = facexlib[name].state_dict(), KNOWN[name][1]().state_dict()
    shapes = {key: value.shape for key, value in theirs.items()}
    assert all(shapes[key] == value.shape for key, value in ours.items())
    left_out = {key.split(".")[0] for key in theirs.keys() - ours.keys()}
    assert left_out == {"ParseNet": {"out_img_conv"}, "BiSeNet": {"conv_out16", "conv_out32"}}[name]


def test_a_parser_names_every_pixel_of_a_face_alike_as_pth_safetensors_and_onnx(files, tmp_path):
    pytest.importorskip("onnx")
    from safetensors.torch import save_file

    net = KNOWN["BiSeNet"][1]()
    net.load_state_dict(torch.load(files["BiSeNet"], weights_only=True))
    save_file(net.state_dict(), tmp_path / "b.safetensors")
    blob = torch.zeros(1, 3, SIDE, SIDE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch has a newer exporter, which wants more packages
        torch.onnx.export(net.eval(), (blob,), str(tmp_path / "b.onnx"), dynamo=False)
    image = np.random.default_rng(2).integers(0, 256, (SIDE, SIDE, 3), np.uint8)

    parsers = [FaceParser(path) for path in (files["BiSeNet"], tmp_path / "b.safetensors", tmp_path / "b.onnx")]
    pth, safetensors, onnx = ([p.select_classes(image, (one,)) for one in LAYOUTS["BiSeNet"].classes] for p in parsers)

    assert (np.array(pth) == safetensors).all()
    assert (np.array(pth) != onnx).mean() < 1e-3
    assert 0.01 < np.mean(pth) < 0.2


def test_a_face_is_restored_where_a_parser_of_the_users_own_says(picture, face_at, files):
    settings = FaceSettings(
        method="restore", mask="ellipse & parsing:hair,skin", parser=str(files["BiSeNet"]), fidelity=0
    )
    plan = make_plan(picture, [face_at(300, 300, size=256)], settings)
    fix = FaceFix()
    mask = fix.mask(picture, plan)
    [result] = fix.run([picture], [plan])
    [outcome] = result.outcomes
    assert outcome.error is None
    assert not (result.image != picture)[mask == 0].any()


def test_a_file_of_another_net_is_no_parser(tmp_path):
    torch.save({"conv.weight": torch.zeros(3, 3)}, tmp_path / "other.pth")
    with pytest.raises(BadModel, match=r"other.pth is not a supported face parser \(ParseNet or BiSeNet\)"):
        load_parser(tmp_path / "other.pth")


@both
def test_half_a_parser_is_told_with_what_is_missing(name, files, tmp_path):
    weights = torch.load(files[name], weights_only=True)
    gone = next(key for key in reversed(list(weights)) if key.endswith("weight") and key != KNOWN[name][0])
    del weights[gone]
    torch.save(weights, tmp_path / "half.pth")
    with pytest.raises(BadModel, match=f"{gone} is missing or has another shape"):
        load_parser(tmp_path / "half.pth")


def test_a_hostile_file_is_not_run(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "executed"), "w"))

    torch.save({"cp.resnet.conv1.weight": Hostile()}, tmp_path / "hostile.pth")
    with pytest.raises(BadModel, match="safe reader refused"):
        FaceParser(tmp_path / "hostile.pth")
    assert not (tmp_path / "executed").exists()


def test_an_onnx_of_xsegs_layout_runs_with_its_colours_in_the_last_axis(tmp_path):
    """(1, 256, 256, 3) to (1, 256, 256, 1), as converted from TensorFlow; this one says face where red is strong."""
    pytest.importorskip("onnx")

    class LastAxis(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 1, 3, padding=1)
            torch.nn.init.zeros_(self.conv.weight)
            self.conv.weight[0, 2, 1, 1] = 40  # blue, green, red
            torch.nn.init.constant_(self.conv.bias, -20)

        def forward(self, picture):
            return torch.sigmoid(self.conv(picture.permute(0, 3, 1, 2))).permute(0, 2, 3, 1)

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(LastAxis().eval(), (torch.zeros(1, 256, 256, 3),), str(tmp_path / "x.onnx"), dynamo=False)
    image = np.zeros((256, 256, 3), np.uint8)
    image[:, 100:] = (255, 0, 0)
    image[:50] = (0, 255, 255)

    hidden = XSeg(tmp_path / "x.onnx").find_hidden(image)

    assert hidden[:50].all()
    assert hidden[:, :100].all()
    assert not hidden[50:, 100:].any()
