"""How the built-in restorer is trained: its network, its losses, and the damage that it learns to undo."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from training import damage, losses  # noqa: E402
from training.beginning import begin  # noqa: E402
from training.critic import Critic, fool, tell_apart  # noqa: E402
from training.export import load_averaged, write_float32  # noqa: E402
from training.network import SIDE, TwoHeads  # noqa: E402

RANDOM = np.random.default_rng(3)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(2)
    made = TwoHeads().eval()
    with torch.no_grad():
        for places in (made.lower.coarse_places, made.texture_places):
            places.map.normal_(0, 0.1)
        for slope in (each for each in made.modules() if isinstance(each, torch.nn.PReLU)):
            slope.weight.normal_(0.2, 0.05)  # equal ones would be exported as one
    return made


@pytest.fixture
def picture():
    coarse = RANDOM.integers(40, 216, (12, 12, 3), np.uint8)
    return damage.cv2.resize(coarse, (192, 192), interpolation=damage.cv2.INTER_CUBIC)


def run(net, crop, *place):
    with torch.inference_mode():
        return net(crop, *place)


def test_a_window_gets_the_answer_of_its_place_in_the_whole_crop(net):
    crop = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    whole, part = run(net, crop), run(net, crop[..., 64:448, 128:512], 128, 64)
    inner = (..., slice(160, 224), slice(160, 224))  # out of reach of the window's edges, but for the U's
    for one, other in zip(whole[:2], part[:2], strict=True):
        placed = one[..., 64:448, 128:512]
        assert (placed[inner] - other[inner]).abs().max() < 0.05 * placed[inner].abs().max()
        elsewhere = run(net, crop[..., 64:448, 128:512], 0, 0)[0]
        assert (placed[inner] - other[inner]).abs().max() < 0.2 * (placed[inner] - elsewhere[inner]).abs().max()


def test_what_is_exported_is_a_beginning_of_the_same_network(net, tmp_path):
    torch.save({"averaged": net.state_dict()}, tmp_path / "checkpoint.pt")
    kept = load_averaged(tmp_path / "checkpoint.pt")
    write_float32(kept, tmp_path / "net.onnx")
    again = TwoHeads()
    begin(again, tmp_path / "net.onnx")
    wanted = kept.state_dict()
    assert all(torch.equal(values, wanted[name]) for name, values in again.state_dict().items())


def test_another_network_is_no_beginning(tmp_path):
    nodes = [helper.make_node("Add", ["x", "y"], ["z"])]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1,)) for name in "xz"]
    weight = numpy_helper.from_array(np.ones(1, np.float32), "y")
    onnx.save(
        helper.make_model(helper.make_graph(nodes, "g", values[:1], values[1:], [weight])), tmp_path / "other.onnx"
    )
    with pytest.raises(ValueError, match="it has no exit"):
        begin(TwoHeads(), tmp_path / "other.onnx")


def test_a_grid_of_four_pixels_is_told_from_noise_and_from_edges():
    generator = torch.Generator().manual_seed(5)
    clean = torch.rand(1, 3, 96, 96, generator=generator)
    grid = torch.zeros(1, 3, 96, 96)
    grid[..., ::4] = 0.05
    noise = 0.05 * torch.randn(1, 3, 96, 96, generator=generator)
    edge = torch.zeros(1, 3, 96, 96)
    edge[..., 50:] = 0.3
    strong, weak, plain = (float(losses.pattern_of_grid(clean + one, clean)) for one in (grid, noise, edge))
    assert strong > 0.01
    assert weak < strong / 2
    assert plain < strong / 3


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_missing_texture_is_the_logarithm_of_the_share_that_is_left(share):
    texture = 0.1 * torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(5))
    found = float(losses.missing_texture(0.5 + share * texture, 0.5 + texture))
    assert found == pytest.approx(-np.log(share), abs=0.02)


def test_damage_is_measured_where_it_is():
    clean = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(6))
    spoilt = clean.clone()
    spoilt[..., 32:, :32] = 0.5
    found = losses.measure_damage(spoilt, clean)
    assert found.shape == (1, 2, 4, 4)
    assert float(found[0, 1, 2:, :2].min()) > np.log(0.05)
    assert float(found[0, :, :1].max()) == pytest.approx(np.log(losses.QUIET), abs=1e-3)


def test_the_critic_is_fooled_by_what_it_takes_for_clean():
    torch.manual_seed(1)
    critic = Critic()
    optimiser = torch.optim.Adam(critic.parameters(), lr=2e-3)
    clean, blurred = torch.rand(4, 3, 64, 64), torch.full((4, 3, 64, 64), 0.5)
    before = float(tell_apart(blurred, clean, critic).detach())
    for _ in range(20):
        optimiser.zero_grad()
        loss = tell_apart(blurred, clean, critic)
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < before / 2
    with torch.no_grad():
        assert float(fool(clean, clean, critic)) < float(fool(blurred, clean, critic)) - 1


@pytest.mark.parametrize("draw", [*(draw for _, draw in damage.DAMAGES), damage.draw_old_photo])
def test_damage_changes_the_picture_but_neither_its_size_nor_its_light_beyond_recognition(draw, picture):
    damaged = draw(picture, np.random.default_rng(8))
    assert (damaged.shape, damaged.dtype) == (picture.shape, np.uint8)
    off = np.abs(damaged.astype(float) - picture).mean()
    assert 0.5 < off < 40
    again = draw(picture, np.random.default_rng(8))
    assert (again == damaged).all()


def test_motion_blurs_along_its_line_alone(picture):
    moved = damage.move(np.tile(picture[:1], (192, 1, 1)), 15, 90)  # stripes from top to bottom
    assert np.abs(moved.astype(int) - picture[:1]).max() <= 1
    across = damage.move(np.tile(picture[:1], (192, 1, 1)), 15, 0)
    assert np.abs(across.astype(int) - picture[:1]).max() > 10


def test_grain_has_its_level_in_the_middle_tones_and_less_in_the_lights():
    random = np.random.default_rng(1)
    levels = [
        damage.add_grain(np.full((256, 256, 3), tone, np.uint8), 10, 0.8, True, random).std() for tone in (128, 235)
    ]
    assert levels[0] == pytest.approx(10, rel=0.05)
    assert levels[1] < 6


@pytest.mark.parametrize("kind", ["grey", "sepia"])
def test_a_toned_picture_has_one_colour_at_each_brightness(picture, kind):
    toned = damage.tone(picture, kind).reshape(-1, 3).astype(int)
    for level in np.unique(toned[:, 1])[::16]:
        assert np.ptp(toned[toned[:, 1] == level], axis=0).max() <= 2
