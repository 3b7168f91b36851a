from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Pil

import lib_facefix.registry as catalog
from lib_facefix import FaceFix, FaceSettings
from lib_facefix.errors import BadPicture, BadPlan, MissingDiffuser
from lib_facefix.facefix import as_rgb
from lib_facefix.imaging.frames import Upright
from lib_facefix.imaging.lanczos import lanczos
from lib_facefix.planning.plan import FixPlan
from lib_facefix.protocols import Enlarged, Fixed
from lib_facefix.registry import UPSCALERS
from lib_facefix.settings.face_prompt import GenerationParams

RED = (255, 0, 0)
SETTINGS = FaceSettings(method="restore", mask="ellipse", match_colour=False, guard="off")


class SeesNoMesh:
    def locate(self, image, face):
        return face


class Painter:
    def framing(self, job):
        return Upright(128)

    def batch_key(self, job):
        return "paint"

    def fix(self, crops, jobs):
        yield from (Fixed(np.full_like(crop.image, RED), "a brush") for crop in crops)


@pytest.fixture
def loaded(monkeypatch, face_at):
    """Put fakes in place of the built-in models, and count how often each is made."""
    made = Counter()

    class OneFace:
        def detect(self, image, min_score):
            return (face_at(300, 200),)

    fakes = {"auto": OneFace, "facemesh": SeesNoMesh, "lite": Painter}
    real = catalog.ModelInfo.load

    def load(info):
        if info.name not in fakes:
            return real(info)

        def make():
            made[info.name] += 1
            return fakes[info.name]()

        return make

    monkeypatch.setattr(catalog.ModelInfo, "load", load)
    return made


def test_a_picture_is_found_planned_and_fixed(loaded, picture):
    before = picture.copy()
    [result] = FaceFix().fix([picture], SETTINGS)
    assert [outcome.verdict for outcome in result.outcomes] == ["fixed"]
    assert np.abs(result.image[200, 300].astype(int) - RED).max() <= 16
    assert (result.image[500:] == picture[500:]).all()
    assert (picture == before).all()


def test_models_are_loaded_once(loaded, picture):
    facefix = FaceFix()
    assert not loaded
    facefix.fix([picture, picture], SETTINGS)
    facefix.fix([picture], SETTINGS)
    assert loaded == {"auto": 1, "facemesh": 1, "lite": 1}


def test_models_are_loaded_again_after_unloading(loaded, picture):
    facefix = FaceFix()
    facefix.fix([picture], SETTINGS)
    facefix.unload()
    facefix.fix([picture], SETTINGS)
    assert loaded == {"auto": 2, "facemesh": 2, "lite": 2}


def test_unloading_one_leaves_the_models_of_another(loaded, picture):
    one, other = FaceFix(), FaceFix()
    for facefix in (one, other):
        facefix.fix([picture], SETTINGS)
    one.unload()
    other.fix([picture], SETTINGS)
    assert loaded == {"auto": 2, "facemesh": 2, "lite": 2}
    one.fix([picture], SETTINGS)
    assert loaded == {"auto": 3, "facemesh": 3, "lite": 3}


def test_planning_loads_no_fixer(loaded, picture):
    FaceFix().plan(picture, SETTINGS)
    assert "lite" not in loaded


def test_pil_pictures_give_the_same_as_arrays(loaded, picture):
    facefix = FaceFix()
    array, pil = facefix.fix([picture, Pil.fromarray(picture)], SETTINGS)
    assert (array.image == pil.image).all()


def test_a_grey_array_is_fixed_as_rgb(loaded, picture):
    [result] = FaceFix().fix([picture[..., 0]], SETTINGS)
    assert result.image.shape == picture.shape
    assert (result.image[500:] == picture[500:, :, :1]).all()


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "RGBA", "LA"])
def test_every_kind_of_pil_picture_becomes_rgb(mode):
    seen = as_rgb(Pil.new("RGB", (7, 5), (255, 255, 255)).convert(mode))
    assert (seen.shape, seen.dtype) == ((5, 7, 3), np.uint8)
    assert (seen >= 254).all()


def test_a_view_with_gaps_becomes_a_plain_array(picture):
    seen = as_rgb(picture[::2, ::-1])
    assert seen.flags.c_contiguous
    assert (seen == picture[::2, ::-1]).all()


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.zeros((5, 5, 3), np.float32), "uint8.*not float32"),
        (np.zeros((5, 5, 3), np.uint16), "uint8.*not uint16"),
        (np.zeros((5, 5, 4), np.uint8), r"\(height, width, 3\), not \(5, 5, 4\)"),
        (np.zeros((3, 5, 5), np.uint8), r"\(height, width, 3\), not \(3, 5, 5\)"),
        (np.zeros((1, 5, 5, 3), np.uint8), r"\(height, width, 3\), not"),
        (np.zeros((0, 5, 3), np.uint8), r"\(height, width, 3\), not"),
        (np.zeros((5, 0), np.uint8), r"\(height, width, 3\), not"),
        (np.zeros(5, np.uint8), r"\(height, width, 3\), not"),
        ("photo.jpg", "uint8"),
        (None, "uint8"),
    ],
    ids=["float", "16 bits", "RGBA", "channels first", "a batch", "no rows", "no columns", "a line", "a path", "none"],
)
def test_what_is_no_picture_is_refused(bad, said):
    with pytest.raises(BadPicture, match=said):
        FaceFix().fix([bad])


def test_re_diffusing_without_a_diffuser_is_a_failed_face_with_a_sentence(loaded, picture):
    [result] = FaceFix().fix([picture], FaceSettings(method="re-diffuse"))
    [outcome] = result.outcomes
    assert outcome.verdict == "failed"
    assert type(outcome.error) is MissingDiffuser
    assert "Choose the method 'restore'" in str(outcome.error)
    assert (result.image == picture).all()


class Negative:
    """A `Diffuser` that turns crops into their negatives, and remembers what it was asked for."""

    engine, native = "a darkroom", 64

    def __init__(self):
        self.runs = []

    def shares(self, job):
        return None

    def redraw(self, items, sampling):
        self.runs.append(items)
        return [255 - item.image for item in items]


SMALL = FaceSettings(sharp_above=1.0, mask="ellipse")
"""By which auto fixes the one face, and finds it small."""


def test_with_a_diffuser_auto_re_diffuses_a_small_face_by_the_pictures_own_prompt(loaded, picture):
    darkroom = Negative()
    facefix = FaceFix().with_diffuser(darkroom)
    [result] = facefix.run([picture], [facefix.plan(picture, SMALL, origin=GenerationParams("a girl", "blurry", 5))])
    [outcome] = result.outcomes
    assert (outcome.job.decision, outcome.verdict, outcome.engine) == ("re-diffuse", "fixed", "a darkroom")
    [[item]] = darkroom.runs
    assert (item.number, item.prompt, item.negative_prompt, item.seed) == (1, "a girl", "blurry", 5)
    assert np.abs(255 - result.image[200, 300].astype(int) - picture[200, 300]).max() <= 40
    assert (result.image[500:] == picture[500:]).all()


def test_with_a_diffuser_but_without_an_origin_a_face_is_re_diffused_by_what_the_settings_say_alone(loaded, picture):
    darkroom = Negative()
    settings = replace(SMALL, method="re-diffuse", prompt="old, [PROMPT]", subseed=3)
    [result] = FaceFix().with_diffuser(darkroom).fix([picture], settings)
    assert [(one.job.decision, one.verdict) for one in result.outcomes] == [("re-diffuse", "fixed")]
    [[item]] = darkroom.runs
    assert (item.prompt, item.negative_prompt, item.seed, item.subseed) == ("old, ", "", 0, 3)


def test_with_a_diffuser_but_without_an_origin_auto_restores_and_invents_nobody(loaded, picture):
    [result] = FaceFix().with_diffuser(Negative()).fix([picture], SMALL)
    assert [one.job.decision for one in result.outcomes] == ["restore"]


@pytest.mark.parametrize("origin", [GenerationParams("a girl"), None], ids=["origin", "no origin"])
def test_without_a_diffuser_auto_restores_whatever_the_picture_was_made_from(loaded, picture, origin):
    facefix = FaceFix()
    plan = facefix.plan(picture, SMALL, origin=origin)
    assert [job.decision for job in plan.jobs] == ["restore"]
    assert [outcome.verdict for outcome in facefix.run([picture], [plan])[0].outcomes] == ["fixed"]


def test_a_plan_whose_restored_face_was_made_one_to_be_re_diffused_draws_by_the_pictures_own(loaded, picture):
    darkroom = Negative()
    facefix = FaceFix().with_diffuser(darkroom)
    settings = replace(SETTINGS, prompt="[PROMPT]!", denoising_strength=0.8, denoise_by_size=1.0)
    written = facefix.plan(picture, settings, origin=GenerationParams("a girl", "blurry", 5, 6)).to_json()
    assert [face["decision"] for face in written["faces"]] == ["restore"]
    written["faces"][0]["decision"] = "re-diffuse"
    facefix.run([picture], [FixPlan.from_json(written)])
    [[item]] = darkroom.runs
    assert (item.prompt, item.negative_prompt, item.seed, item.subseed) == ("a girl!", "blurry", 5, 6)


def test_one_with_a_diffuser_shares_the_loaded_models(loaded, picture):
    facefix = FaceFix()
    facefix.fix([picture], SETTINGS)
    one, other = facefix.with_diffuser(Negative()), facefix.with_diffuser(Negative())
    for each in (one, other):
        each.fix([picture], SETTINGS)
    assert loaded == {"auto": 1, "facemesh": 1, "lite": 1}
    assert one.models is facefix.models

    one.unload()
    facefix.fix([picture], SETTINGS)
    assert loaded == {"auto": 2, "facemesh": 2, "lite": 2}


def test_a_diffuser_is_given_to_the_new_one_alone(loaded, picture):
    facefix, darkrooms = FaceFix(), [Negative(), Negative()]
    _, other = map(facefix.with_diffuser, darkrooms)
    settings = FaceSettings(method="re-diffuse")
    assert [outcome.verdict for outcome in other.fix([picture], settings)[0].outcomes] == ["fixed"]
    assert [len(darkroom.runs) for darkroom in darkrooms] == [0, 1]
    assert [type(outcome.error) for outcome in facefix.fix([picture], settings)[0].outcomes] == [MissingDiffuser]


def test_no_more_faces_share_a_run_than_the_new_one_was_told(loaded, picture):
    darkroom = Negative()
    FaceFix().with_diffuser(darkroom, most=2).fix([picture] * 3, FaceSettings(method="re-diffuse"))
    assert list(map(len, darkroom.runs)) == [2, 1]


def test_overrides_reach_the_face(loaded, picture):
    [result] = FaceFix().fix([picture], SETTINGS, overrides={1: {"method": "leave"}})
    assert [outcome.verdict for outcome in result.outcomes] == ["left"]


def test_a_plan_written_and_read_gives_the_same_picture(loaded, picture):
    facefix = FaceFix()
    plan = facefix.plan(picture, SETTINGS)
    [at_once] = facefix.run([picture], [plan])
    [later] = facefix.run([picture], [FixPlan.from_json(plan.to_json())])
    assert (at_once.image == later.image).all()


def test_a_plan_for_another_picture_is_refused(loaded, picture):
    facefix = FaceFix()
    with pytest.raises(BadPlan, match="for an image of 800x600 px, but this one has 800x100 px"):
        facefix.run([picture[:100]], [facefix.plan(picture, SETTINGS)])


@pytest.mark.parametrize("mode", ["I", "I;16", "F"])
def test_a_pil_picture_deeper_than_8_bits_is_refused_not_clipped(mode):
    with pytest.raises(BadPicture, match="8 bits per channel"):
        as_rgb(Pil.new(mode, (4, 4)))


def test_one_picture_in_place_of_a_list_is_refused():
    with pytest.raises(BadPicture, match=r"pass a list of images, even for one image: fix\(\[image\]\)"):
        FaceFix().fix(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(BadPicture, match="pass a list"):
        FaceFix().fix(Pil.new("RGB", (8, 8)))


def test_a_pil_picture_is_turned_as_its_exif_says(tmp_path):
    exif = Pil.Exif()
    exif[0x0112] = 6
    Pil.new("RGB", (40, 20)).save(tmp_path / "turned.jpg", exif=exif)
    with Pil.open(tmp_path / "turned.jpg") as picture:
        assert as_rgb(picture).shape == (40, 20, 3)


def test_a_cut_off_pil_picture_is_refused_with_a_sentence(tmp_path):
    Pil.fromarray(np.random.default_rng(1).integers(0, 255, (90, 90, 3), np.uint8)).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:2000])
    with Pil.open(tmp_path / "cut.jpg") as picture, pytest.raises(BadPicture, match="cannot read the image"):
        as_rgb(picture)


def test_a_picture_is_enlarged_and_its_face_fixed_at_the_new_size(loaded, picture):
    [result] = FaceFix().fix([picture], replace(SETTINGS, upscale="2"))
    assert result.image.shape == (1200, 1600, 3)
    assert np.abs(result.image[400, 600].astype(int) - RED).max() <= 40
    assert (result.image[1000:] == lanczos(picture, (1600, 1200))[1000:]).all()
    assert (result.upscaler, result.upscaler_engine.split()[0]) == ("lanczos", "Pillow")
    assert (result.size, result.result_size) == ((800, 600), (1600, 1200))
    assert result.outcomes[0].engine == "a brush"


def test_each_picture_has_its_own_size_and_those_without_faces_are_enlarged_too(loaded, picture, monkeypatch):
    facefix, other = FaceFix(), np.ascontiguousarray(picture[:200, :300])
    plans = [facefix.plan(picture), replace(facefix.plan(other), jobs=(), upscaled=(333, 222))]
    plain, enlarged = facefix.run([picture, other], plans)
    assert (plain.result_size, plain.upscaler) == ((800, 600), "")
    assert (enlarged.result_size, enlarged.upscaler) == ((333, 222), "lanczos")


class Stopped:
    def __init__(self, at):
        self.at, self.told = at, []

    def step(self, done, total, doing):
        self.told.append((done, total, doing))

    def should_stop(self):
        return len(self.told) >= self.at


def plant_upscaler(monkeypatch, facefix, make):
    load = facefix.models.load
    monkeypatch.setattr(facefix.models, "load", lambda kind, *rest: make() if kind is UPSCALERS else load(kind, *rest))


def test_enlarging_is_told_before_the_first_face_and_can_be_stopped(loaded, picture, monkeypatch):
    class ByTiles:
        def enlarge(self, image, size, progress):
            for tile in (1, 2):
                if progress.should_stop():
                    return None
                progress.step(tile, 2, f"enlarging, tile {tile}/2")
            return Enlarged(lanczos(image, size), "two tiles")

    facefix = FaceFix()
    plant_upscaler(monkeypatch, facefix, ByTiles)
    settings = replace(SETTINGS, upscale="2", upscaler="x4plus")

    through = Stopped(at=1000)
    [result] = facefix.fix([picture], settings, progress=through)
    assert through.told == [(0, 1, "enlarging, tile 1/2"), (0, 1, "enlarging, tile 2/2"), (1, 1, "face 1 fixed")]
    assert (result.upscaler, result.upscaler_engine) == ("x4plus", "two tiles")

    [result] = facefix.fix([picture], settings, progress=Stopped(at=1))
    assert (result.image == picture).all()
    assert result.upscaler == ""
    assert [outcome.verdict for outcome in result.outcomes] == ["left"]


def test_a_plan_for_another_picture_is_refused_before_anything_is_enlarged(loaded, picture, monkeypatch):
    facefix = FaceFix()
    plan = facefix.plan(picture, replace(SETTINGS, upscale="2"))
    plant_upscaler(monkeypatch, facefix, lambda: pytest.fail("enlarged"))
    with pytest.raises(BadPlan, match="for an image of 800x600 px, but this one has 800x100 px"):
        facefix.run([picture[:100]], [plan])
