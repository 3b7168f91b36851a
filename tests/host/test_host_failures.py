"""The model gives NaN, memory runs out, the person stops: what is done is kept, it is said, the WebUI still works."""

import numpy as np
import pictures
import pytest
from driving import QUICK, changed, difference, inside

THREE = pictures.sheet(3)


@pytest.fixture
def whole(host):
    """The picture with all its faces fixed, and the plain one; afterwards the WebUI must still make the former."""
    fixed = host.txt2img(QUICK, draws=[THREE]).picture
    host.forget()
    yield fixed, pictures.array(THREE)
    host.forget()
    assert difference(host.txt2img(QUICK, draws=[THREE]).picture, fixed) == 0


def verdicts(made):
    return {number: face.get("verdict") for number, face in made.faces().items()}


def test_a_face_that_the_model_spoils_keeps_its_bytes_and_the_others_are_fixed(host, whole):
    fixed, plain = whole
    host.order(nan_for="poison")
    made = host.txt2img({**QUICK, "prompt": "[face:2] a face poison [SEP] a face"}, draws=[THREE])
    assert verdicts(made) == {1: None, 2: "failed", 3: None}
    faces = made.faces()
    assert difference(made.picture[inside(faces[2]["box"])], plain[inside(faces[2]["box"])]) == 0
    for number in (1, 3):
        place = inside(faces[number]["box"])
        assert changed(made.picture, plain)[place].mean() > 0.5
        assert difference(made.picture[place], fixed[place]) <= 1
    assert "face 2 was not fixed" in host.comments()
    assert "NaN" in host.comments() or "no numbers" in host.comments()


def test_when_every_face_is_spoilt_the_picture_stays_as_it_was(host, whole):
    _, plain = whole
    host.order(nan_for="face")
    made = host.txt2img(QUICK, draws=[THREE])
    assert difference(made.picture, plain) == 0
    assert set(verdicts(made).values()) == {"failed"}


@pytest.mark.parametrize("words", ["CUDA out of memory. Tried to allocate 2 GiB", "HIP out of memory"])
def test_out_of_memory_halves_the_run_until_it_fits(host, whole, words):
    fixed, _ = whole
    host.order(most=1, out_of_memory=words)
    made = host.txt2img(QUICK, draws=[THREE])
    assert difference(made.picture, fixed) <= 1
    assert [run["batch_size"] for run in host.runs()] == [3, 1, 1, 1]
    assert not any(verdicts(made).values())


def test_a_face_for_which_there_is_no_memory_at_all_is_left_and_named(host, whole):
    _, plain = whole
    host.order(most=0)
    made = host.txt2img(QUICK, draws=[THREE])
    assert difference(made.picture, plain) == 0
    assert set(verdicts(made).values()) == {"failed"}
    assert "memory" in host.comments()


def test_an_error_of_the_host_fails_the_face_in_words(host, whole):
    fixed, plain = whole
    host.order(fail_in=1)
    with host.options(facefix_faces_at_once=1):
        made = host.txt2img(QUICK, draws=[THREE])
    assert list(verdicts(made).values()).count("failed") == 1
    assert "the saboteur was here" in host.comments()
    assert changed(made.picture, plain).any()
    assert changed(made.picture, fixed).any()


@pytest.mark.parametrize("way", ["interrupt_in", "skip_in"])
def test_stopped_in_the_second_round_what_is_done_is_kept(host, way):
    picture = pictures.overlapping()
    wanted = host.txt2img({**QUICK, "faces": "1,3"}, draws=[picture]).picture
    whole = host.txt2img(QUICK, draws=[picture]).picture
    host.forget()
    host.order(**{way: 2})
    made = host.txt2img(QUICK, draws=[picture])
    assert [len(run["items"]) for run in host.runs()] == [len(host.runs()[0]["items"]), 2]
    assert difference(made.picture, wanted) == 0
    assert verdicts(made) == {1: None, 2: "left", 3: None}
    host.forget()
    assert difference(host.txt2img(QUICK, draws=[picture]).picture, whole) == 0


def test_interrupted_between_single_faces_the_first_is_kept_and_the_rest_untouched(host, whole):
    fixed, plain = whole
    host.order(interrupt_in=2)
    with host.options(facefix_faces_at_once=1):
        made = host.txt2img(QUICK, draws=[THREE], n_iter=1)
    faces = made.faces()
    first = inside(faces[1]["box"])
    assert difference(made.picture[first], fixed[first]) <= 1
    where = changed(made.picture, plain)
    where[:, : round((faces[1]["box"][2] + faces[2]["box"][0]) / 2)] = False
    assert not where.any()
    assert len(host.runs()) == 2


def test_interrupting_the_picture_itself_leaves_no_face_drawn(host):
    host.order(interrupt_main=True)
    made = host.txt2img(QUICK, draws=[THREE])
    assert host.runs() == []
    assert not np.any(changed(made.picture, pictures.array(THREE)))


def test_an_end_after_this_picture_asked_for_while_it_is_drawn_still_fixes_its_faces(host, whole):
    host.order(stop_main=True)
    made = host.txt2img(QUICK, draws=[THREE], n_iter=2)
    assert [run["batch_size"] for run in host.runs()] == [3]
    assert difference(made.picture, whole[0]) == 0


def test_an_end_asked_for_while_faces_are_drawn_lets_the_run_at_hand_be_the_last(host):
    picture = pictures.overlapping()
    wanted = host.txt2img({**QUICK, "faces": "1,3"}, draws=[picture]).picture
    host.forget()
    host.order(stop_in=1)
    made = host.txt2img(QUICK, draws=[picture])
    assert len(host.runs()) == 1
    assert difference(made.picture, wanted) == 0
    assert verdicts(made) == {1: None, 2: "left", 3: None}


def test_a_model_that_only_edits_is_refused_with_a_sentence_and_the_picture_stays_as_it_was(host, whole):
    _, plain = whole
    if not host.webui.post("/saboteur", {"marked": "edit"}):
        pytest.skip("this WebUI has no models that edit")
    made = host.txt2img(QUICK, draws=[THREE])
    assert difference(made.picture, plain) == 0
    assert set(verdicts(made).values()) == {"failed"}
    assert "the loaded model edits images by instruction and cannot re-diffuse a face" in host.comments()
    assert 'or the method "restore"' in host.comments()
    restored = host.txt2img({"method": "restore"}, draws=[THREE])
    assert [face["do"] for face in restored.faces().values()] == ["restore"] * 3
