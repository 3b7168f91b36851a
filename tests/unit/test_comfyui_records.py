"""The record of edits between nodes, its mark, and errors in words for a user of ComfyUI."""

import sys
from dataclasses import replace

import pytest

from lib_facefix.comfyui.advice import PACK, advise, explain, translate
from lib_facefix.comfyui.records import Record, check_count, make_mark, make_record
from lib_facefix.errors import BadModel, BadPlan, BadSetting, FaceFixError, MissingPackage
from lib_facefix.pictures.picture import Metadata
from lib_facefix.planning.plan import FixResult, Outcome
from lib_facefix.planning.planner import make_plan
from lib_facefix.provenance import Edit, read_edits
from lib_facefix.settings.face_settings import FaceSettings


@pytest.fixture
def result(face_at, picture):
    """A result in which the left face was restored, and the right one failed."""
    faces = (face_at(200, 300, size=80), face_at(500, 300, size=100))
    jobs = make_plan(picture, faces, FaceSettings(method="restore", restorer="gfpgan")).jobs
    return FixResult(picture, (Outcome(jobs[0], "fixed"), Outcome(jobs[1], "failed", BadModel("no"))))


def test_the_record_has_what_was_done_to_each_image(result):
    untouched = replace(result, outcomes=result.outcomes[1:])
    record = make_record([result, untouched])
    assert record.size == (800, 600)
    [[edit], nothing] = record.edits
    assert (edit.action, edit.model, edit.face) == ("restore", "gfpgan", 1)
    assert nothing == ()


def test_a_later_node_adds_its_edits_to_those_of_an_earlier_one(result):
    first = make_record([result])
    both = make_record([result], first)
    assert both.edits[0] == first.edits[0] * 2
    with pytest.raises(BadPlan, match="the record is of 1 images, but this node has 2"):
        make_record([result, result], first)


@pytest.mark.parametrize(
    ("size", "box"),
    [((800, 600), (10, 20, 30, 40)), ((1600, 1200), (20, 40, 60, 80)), ((800, 400), None)],
    ids=["the same", "enlarged", "cropped"],
)
def test_places_follow_the_size_of_the_saved_image_or_are_left_out(size, box):
    record = Record((800, 600), ((Edit("restore", "lite", face=1, box=(10, 20, 30, 40)),),))
    [[edit]] = record.resized(size).edits
    assert edit.box == box
    assert edit.face == 1


def test_the_mark_can_be_read_again_and_names_the_source_type():
    edits = (Edit("restore", "lite", face=1, box=(1, 2, 3, 4)), Edit("re-diffuse", face=2, box=(5, 6, 7, 8)))
    mark = make_mark(edits)
    assert read_edits(Metadata(xmp=mark.encode())) == edits
    assert "digitalsourcetype/compositeWithTrainedAlgorithmicMedia" in mark
    assert "digitalsourcetype/algorithmicallyEnhanced" in make_mark(edits[:1])
    assert make_mark(()) == ""


def test_a_record_of_other_images_is_refused():
    with pytest.raises(BadPlan, match="Connect the image and the record of the same node"):
        check_count(Record((8, 8), ((), ())), 3)


def test_commands_run_with_comfyuis_python_from_the_folder_of_the_pack():
    told = translate("Get it with `facefix models get gfpgan`, or `pip install x`.")
    assert f'`cd "{PACK}" && "{sys.executable}" -m lib_facefix models get gfpgan`' in told
    assert f'`"{sys.executable}" -m pip install x`' in told
    assert (PACK / "lib_facefix" / "__main__.py").is_file()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            MissingPackage("CodeFormer", "spandrel_extra_arches"),
            "-m pip install spandrel_extra_arches` and start",
        ),
        (
            MissingPackage("GPEN 512", "onnxruntime"),
            "-m pip install onnxruntime` and start",
        ),
    ],
    ids=["of those that facefix setup installs", "another"],
)
def test_a_missing_package_is_installed_with_pip_of_comfyuis_python(error, words):
    told = explain(error)
    assert told.endswith(f"{words} ComfyUI again, or choose another.")
    assert "facefix setup" not in told


def test_a_node_fails_with_the_advice_and_keeps_other_errors():
    def fail(error):
        raise error

    with pytest.raises(FaceFixError, match=r"-m lib_facefix models"):
        advise(fail)(BadModel("Get it with `facefix models get gfpgan`."))
    with pytest.raises(BadSetting, match=r"^unknown setting$"):
        advise(fail)(BadSetting("unknown setting"))
    assert advise(lambda value: value + 1)(2) == 3
