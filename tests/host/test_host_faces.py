"""Pictures with faces at the edge, over one another, none, many, tilted; and restoring."""

import numpy as np
import pictures
import pytest
from driving import QUICK, changed, difference, inside
from PIL import Image

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.imaging.frames import Surrounded, cut

UPRIGHT = 20.0
"""Degrees within which a head counts as upright."""


def test_ticking_the_box_is_enough(host):
    made = host.txt2img({}, draws=[pictures.sheet(1)], steps=1)
    assert [face["do"] for face in made.faces().values()] == ["re-diffuse"]
    assert made.record()["passes"] == [{}]
    [run] = host.runs()
    assert (run["width"], run["height"]) == (512, 512)


def test_a_face_at_the_edge_is_fixed_and_the_picture_keeps_its_size(host):
    partly = pictures.sheet(1).crop((60, 0, 192, 192))
    made = host.txt2img(QUICK, draws=[partly])
    [face] = made.faces().values()
    assert made.picture.shape == (192, 132, 3)
    assert (face["do"], face["box"][0] < 5) == ("re-diffuse", True)
    assert changed(made.picture, pictures.array(partly))[inside(face["box"])].mean() > 0.5


def test_of_two_overlapping_faces_the_second_sees_the_first_ones_result(host):
    picture = pictures.overlapping()
    with host.options(facefix_save_crops=True):
        host.txt2img(QUICK, draws=[picture], save_images=True)
    [crop] = host.saved("-facefix-crop-2.png")
    assert [run["batch_size"] for run in host.runs()] == [2, 1]

    others = host.txt2img({**QUICK, "faces": "1,3"}, draws=[picture]).picture
    face = FaceFix().plan(picture).jobs[1].face
    seen, unseen = (cut(one, Surrounded(64).matrix(face), 64).image for one in (others, pictures.array(picture)))
    assert apart(crop[:, :64], seen) < apart(crop[:, :64], unseen) / 4


def apart(one, other):
    """Return by how much two pictures differ on average; that of the WebUI's OpenCV and ours is not quite the same."""
    return np.abs(one.astype(float) - other).mean()


def test_no_face_leaves_the_picture_and_says_so(host):
    picture = Image.new("RGB", (192, 128), pictures.GREY)
    made = host.txt2img(QUICK, draws=[picture])
    assert difference(made.picture, pictures.array(picture)) == 0
    assert made.record()["faces"] == [[]]
    assert "no face" in host.comments()
    assert host.runs() == []


def test_forty_faces_are_drawn_sixteen_at_a_time(host):
    picture = pictures.crowd()
    made = host.txt2img({**QUICK, "padding": 0.3}, draws=[picture])
    assert [face["do"] for face in made.faces().values()] == ["re-diffuse"] * 40
    assert sum(run["batch_size"] for run in host.runs()) == 40
    assert max(run["batch_size"] for run in host.runs()) == 16
    where = changed(made.picture, pictures.array(picture))
    assert all(where[inside(face["box"])].any() for face in made.faces().values())


def test_restoring_with_lite_works_and_gives_what_the_library_gives(host):
    picture = pictures.sheet(2).resize((256, 128)).resize((384, 192))
    made = host.txt2img({"method": "restore"}, draws=[picture])
    [expected] = FaceFix().fix([picture], FaceSettings(method="restore"))
    assert host.runs() == []
    assert changed(made.picture, pictures.array(picture)).any()
    assert difference(made.picture, expected.image) <= 3  # the WebUI's OpenCV and ours are not the same
    assert [face["do"] for face in made.faces().values()] == ["restore"] * 2


def tilt_when_redrawn(host, degrees, **settings):
    """Return the roll of a tilted head, degrees, in the crop that is redrawn."""
    asked = {**QUICK, "width": 256, "height": 256, "denoising_strength": 0.1, **settings}
    with host.options(facefix_save_crops=True):
        host.txt2img(asked, draws=[pictures.tilted(degrees)], save_images=True)
    [crop] = host.saved("-facefix-crop-1.png")
    return tilt(crop[:, :256])  # what came of it stands beside it


def tilt(picture):
    [face] = FaceFix().plan(np.ascontiguousarray(picture), FaceSettings(angles="all")).jobs
    return face.pose.roll


@pytest.mark.parametrize("degrees", [45, 90, 180])
def test_a_tilted_face_is_redrawn_upright(host, degrees):
    assert abs(tilt(pictures.array(pictures.tilted(degrees)))) > degrees - 15
    assert abs(tilt_when_redrawn(host, degrees)) < UPRIGHT


def test_below_its_threshold_a_tilt_is_left_as_it_is(host):
    assert tilt_when_redrawn(host, 45, upright_above=60.0) == pytest.approx(45, abs=15)
