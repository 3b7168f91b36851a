"""How restorers are judged: degradations, measures, tables, blind pairs. No picture and no network is needed."""

import numpy as np
import pytest

pytest.importorskip("torch")  # the perceptual distance needs it

import torch

from lib_facefix.imaging.align import FFHQ_512
from training.judging import measures
from training.judging.blind import LEFT, RIGHT, draw_pairs, draw_tile
from training.judging.held_out import FACE_WIDTH, choose_people, isolate
from training.judging.measures import ELLIPSE, FINE, MIDDLE, MIX, Figures, mix, mix_shares
from training.judging.perception import blur_pool
from training.judging.restorers import DEFAULT, FAITHFUL, OLD_SHARE, VIVID, OnnxRestorer, UnsharpMask
from training.judging.tables import Result, compare_extremes, compare_groups, compare_kinds
from training.judging.trials import KINDS, degrade_as
from training.people.roster import Person


@pytest.fixture(scope="module")
def crop():
    random = np.random.default_rng(5)
    return np.kron(random.integers(30, 226, (64, 64, 3)), np.ones((8, 8, 1))).astype(np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_a_degradation_is_the_same_for_a_name_and_keeps_the_size(crop, kind):
    once, again = (degrade_as(kind, crop, "somebody") for _ in range(2))
    assert once.shape == crop.shape
    assert once.dtype == np.uint8
    np.testing.assert_array_equal(once, again)
    assert np.array_equal(once, crop) == (kind == "clean")


@pytest.mark.parametrize("kind", ["hard", "mild", "old photo", "motion", "low light", "grain", "diffused"])
def test_the_noise_of_a_degradation_depends_on_the_name(crop, kind):
    assert not np.array_equal(degrade_as(kind, crop, "somebody"), degrade_as(kind, crop, "another"))


@pytest.mark.parametrize("kind", ["hard", "mild", "motion", "jpeg 15", "low light", "grain", "tiny 32 px"])
def test_a_degradation_shifts_nothing(kind):
    grey = np.full((512, 512, 3), 90, np.uint8)
    grey[192:320, 192:320] = 170
    bad = degrade_as(kind, grey, "somebody").mean(axis=2) - 90
    y, x = np.mgrid[:512, :512]
    weight = np.clip(bad, 20, None) - 20
    centre = (float((axis * weight).sum() / weight.sum()) for axis in (x, y))
    assert tuple(centre) == pytest.approx((255.5, 255.5), abs=0.7)


def test_the_blur_of_the_degradations_lowers_the_finest_octave(crop):
    for kind in ("hard", "mild", "motion", "tiny 32 px"):
        bad = degrade_as(kind, crop, "somebody")
        assert measures.measure_octave(bad, FINE) < 0.6 * measures.measure_octave(crop, FINE), kind


@pytest.mark.parametrize(("step", "decibels"), [(1, 48.13), (10, 28.13), (0, 99.0)])
def test_psnr_is_that_of_an_even_step(step, decibels):
    truth = np.full((512, 512, 3), 100, np.uint8)
    assert measures.measure_psnr(truth + np.uint8(step), truth) == pytest.approx(decibels, abs=0.01)


def test_psnr_looks_at_the_face_alone(crop):
    changed = crop.copy()
    changed[~ELLIPSE] = 0
    assert measures.measure_psnr(changed, crop) == measures.EQUAL
    assert ELLIPSE[tuple(FFHQ_512.round().astype(int)[:, ::-1].T)].all(), "a landmark is outside the ellipse"


@pytest.mark.parametrize(("period", "octave"), [(6, FINE), (12, MIDDLE)])
def test_an_octave_is_loudest_at_its_own_period(period, octave):
    def measure(length):
        wave = 128 + 40 * np.sin(2 * np.pi * np.arange(512) / length)
        return measures.measure_octave(np.repeat(np.tile(wave, (512, 1))[..., None], 3, 2).astype(np.uint8), octave)

    assert measure(period) > 1.5 * measure(4 * period)
    assert measure(period) > 1.5 * measure(2.01)


def test_fidelity_goes_from_vivid_to_nothing():
    faithful, vivid = np.full((2, 2, 3), 1, np.float32), np.full((2, 2, 3), 10, np.float32)
    assert mix(faithful, vivid, 1.0).max() == 0
    np.testing.assert_array_equal(mix(faithful, vivid, 0.0), vivid)
    for fidelity, first, second in MIX:
        assert mix_shares(fidelity) == (first, second), fidelity
    shares = np.array([mix_shares(fidelity) for fidelity in np.linspace(0, 1, 21)])
    assert (np.diff(shares[:, 1]) <= 0).all(), "the vivid share grows with fidelity"


def test_a_residual_is_rounded_and_clipped():
    crop = np.array([[[0, 100, 250]]], np.uint8)
    residual = np.array([[[-0.1, 0.0059, 0.1]]], np.float32)
    assert measures.add_residual(crop, residual).tolist() == [[[0, 102, 255]]]


def test_blur_pool_keeps_an_even_field_and_halves_the_size():
    x = torch.arange(3.0).view(1, 3, 1, 1).expand(1, 3, 12, 12)
    pooled = blur_pool(x)
    assert pooled.shape == (1, 3, 7, 7)
    assert torch.allclose(pooled, torch.arange(3.0).view(1, 3, 1, 1).expand_as(pooled))


def test_a_face_is_isolated_at_its_width():
    random = np.random.default_rng(1)
    picture = random.integers(0, 256, (900, 1200, 3), np.uint8)
    landmarks = FFHQ_512 / 4 + (500, 300)
    part, moved = isolate(picture, landmarks, 128.0)
    assert part.shape == (3 * FACE_WIDTH, 3 * FACE_WIDTH, 3)
    np.testing.assert_allclose(np.diff(moved, axis=0), 2 * np.diff(landmarks, axis=0), rtol=1e-3)
    np.testing.assert_allclose(moved.mean(axis=0), 1.5 * FACE_WIDTH, atol=2)


def test_people_are_chosen_from_all_over_the_list():
    everybody, some = choose_people(), choose_people(10)
    assert len(some) == 10
    assert (some[0], some[-1]) == (everybody[0], everybody[-1])
    assert {person.name for person in choose_people(sets=("portrait",))} == {
        f"portrait-{sex}-{index:02d}" for sex in ("female", "male") for index in range(3, 100, 5)
    }


def make_results():
    figures = {
        ("a", "input"): Figures(20, 0.4, 0.3, 0.2, 0.5),
        ("a", "net"): Figures(21, 0.3, 0.2, 0.8, 0.9),
        ("b", "input"): Figures(30, 0.2, 0.1, 0.2, 0.5),
        ("b", "net"): Figures(30, 0.1, 0.2, 0.6, 0.7),
    }
    return [Result(person, "hard", method, found) for (person, method), found in figures.items()]


def test_the_table_of_degradations_has_means_gains_and_ratios():
    lines = compare_kinds(make_results(), "input", "input").splitlines()
    assert lines[2:] == [
        "| hard | input | 25.00 | +0.00 | 0.300 | 0.200 |  | 0.20 | 0.50 | 1.00 |",
        "| hard | net | 25.50 | +0.50 | 0.200 | 0.200 | 50 % | 0.70 | 0.80 | 0.67 |",
    ]


def test_the_table_of_groups_tells_them_apart():
    groups = {"a": ["sex: female"], "b": ["sex: male", "beard: yes"]}
    lines = compare_groups(make_results(), groups.__getitem__, "net", "input").splitlines()
    assert lines[2:] == [
        "| hard | beard: yes | 1 | +0.00 | +50 % | +0.100 | 0 % |",
        "| hard | sex: female | 1 | +1.00 | +25 % | -0.100 | 100 % |",
        "| hard | sex: male | 1 | +0.00 | +50 % | +0.100 | 0 % |",
    ]


def test_the_worst_group_is_compared_with_the_best():
    groups = {"a": ["sex: female"], "b": ["sex: male"]}
    line = compare_extremes(make_results(), groups.__getitem__, "net", "input")
    assert line == "- hard: best sex: male +50.0 %, worst sex: female +25.0 % (0.50 of it)"


def test_a_degradation_that_changes_nothing_has_no_gain_to_compare():
    same = [Result("a", "clean", method, Figures(99, 0.0, 0.0, 1, 1)) for method in ("input", "net")]
    assert compare_extremes(same, lambda _: ["sex: female"], "net", "input") == ""


def test_blind_pairs_are_seeded_even_and_on_both_sides():
    cases = [(f"person {number}", kind) for number in range(20) for kind in ("hard", "mild")]
    pairs = draw_pairs(cases, seed=3, number=30)
    assert pairs == draw_pairs(cases, seed=3, number=30)
    assert pairs != draw_pairs(cases, seed=4, number=30)
    assert len({(pair.person, pair.kind) for pair in pairs}) == 30, "a pair comes twice"
    assert len({pair.person for pair in pairs}) == 20, "somebody comes twice before everybody has come"
    assert sum(pair.kind == "hard" for pair in pairs) == 15
    assert 8 <= sum(pair.restored == LEFT for pair in pairs) <= 22
    assert {pair.restored for pair in pairs} == {LEFT, RIGHT}


def test_a_tile_shows_the_left_crop_on_the_left():
    black, white = np.zeros((512, 512, 3), np.uint8), np.full((512, 512, 3), 200, np.uint8)
    tile = draw_tile(7, black, white)
    middle = tile[tile.shape[0] // 2 + 20]
    assert middle[tile.shape[1] // 4].tolist() == [0, 0, 0]
    assert middle[3 * tile.shape[1] // 4].tolist() == [200, 200, 200]


def test_traits_make_the_groups():
    from training.evaluate import name_groups

    person = Person("a", "judge", "x", None, 1.0, FFHQ_512, None, "male", "child", "", "no")
    assert name_groups(person) == ["age: child", "sex: male", "beard: no"]


def save_net(path, outputs):
    """Save a net that multiplies its input by a factor for each output."""
    onnx = pytest.importorskip("onnx")
    helper, shape = onnx.helper, (1, 3, 512, 512)
    values = [helper.make_tensor(f"by-{name}", onnx.TensorProto.FLOAT, (1,), [by]) for name, by in outputs.items()]
    nodes = [helper.make_node("Mul", ["crop", f"by-{name}"], [name]) for name in outputs]
    [source] = (helper.make_tensor_value_info("crop", onnx.TensorProto.FLOAT, shape),)
    results = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in outputs]
    graph = helper.make_graph(nodes, "test", [source], results, values)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


@pytest.mark.parametrize("names", [("faithful", "vivid"), ("vivid", "faithful")])
def test_a_net_with_two_outputs_has_three_ends(tmp_path, names):
    factors = {"faithful": 0.1, "vivid": 0.5}
    save_net(tmp_path / "net.onnx", {name: factors[name] for name in names})
    net = OnnxRestorer(tmp_path / "net.onnx")
    found = net.restore(np.full((512, 512, 3), 100, np.uint8))
    assert net.ends == (FAITHFUL, DEFAULT, VIVID) == tuple(found)
    first, second = mix_shares(0.6)
    expected = {FAITHFUL: 110, DEFAULT: 100 + 10 * first + 50 * second, VIVID: 150}
    assert {end: int(crop[0, 0, 0]) for end, crop in found.items()} == pytest.approx(expected, abs=0.51)


def test_a_net_with_one_output_has_two_ends(tmp_path):
    save_net(tmp_path / "net.onnx", {"residual": 0.5})
    net = OnnxRestorer(tmp_path / "net.onnx")
    found = net.restore(np.full((512, 512, 3), 100, np.uint8))
    assert net.ends == (FAITHFUL, DEFAULT) == tuple(found)
    assert found[FAITHFUL].max() == 150
    assert found[DEFAULT].max() == round(100 + 50 * OLD_SHARE)


def test_a_net_with_other_outputs_is_refused(tmp_path):
    save_net(tmp_path / "net.onnx", {"image": 1.0})
    with pytest.raises(ValueError, match=r"net\.onnx has the outputs image"):
        OnnxRestorer(tmp_path / "net.onnx")


def test_the_unsharp_mask_sharpens(crop):
    soft = degrade_as("mild", crop, "somebody")
    [sharp] = UnsharpMask().restore(soft).values()
    assert measures.measure_octave(sharp, MIDDLE) > 1.2 * measures.measure_octave(soft, MIDDLE)
