"""The settings of the last image in a tab, and the file that they are kept in."""

import pytest

from lib_facefix.errors import BadSetting, CannotWrite
from lib_facefix.webui.passes.settings import PassSettings, page_args, read_passes
from lib_facefix.webui.presets.last_used import LastUsed, last_used_file


def values(*passes):
    return page_args(passes)[1]


@pytest.fixture
def path(tmp_path):
    return last_used_file(tmp_path)


def in_tab(path, tab="txt2img", on=True):
    return LastUsed(path, tab, lambda: on)


ONE, OTHER = values(PassSettings(fidelity=0.9, prompt="old")), values(PassSettings(), PassSettings(mask="box"))


def test_each_tab_gets_its_own_back(path):
    in_tab(path).keep(ONE)
    in_tab(path, "img2img").keep(OTHER)
    assert in_tab(path).read() == ONE
    assert in_tab(path, "img2img").read() == OTHER
    assert read_passes([True, in_tab(path).read()]) == (PassSettings(fidelity=0.9, prompt="old"),)
    assert path.name == "facefix-last-used.json"


def test_the_latest_counts(path):
    in_tab(path).keep(ONE)
    in_tab(path).keep(OTHER)
    assert in_tab(path).read() == OTHER


def test_nothing_is_written_where_nothing_has_changed(path):
    in_tab(path).keep(ONE)
    before = path.stat()
    in_tab(path).keep(ONE)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_before_any_was_kept_there_are_none(path):
    assert in_tab(path).read() == ""
    in_tab(path).keep(ONE)
    assert in_tab(path, "img2img").read() == ""


def test_a_person_who_does_not_want_it_leaves_no_file_and_gets_none(path):
    in_tab(path, on=False).keep(ONE)
    assert not path.exists()
    in_tab(path).keep(ONE)
    assert in_tab(path, on=False).read() == ""


def test_settings_that_no_run_accepts_are_not_kept(path):
    with pytest.raises(BadSetting, match="pass 1: Fidelity"):
        in_tab(path).keep('[{"fidelity":7}]')
    assert not path.exists()


@pytest.mark.parametrize("content", ["{oops", "[]", '{"v": 99, "presets": {}}', "\udcff"])
def test_a_broken_file_is_said_and_replaced_by_the_next_image(path, content):
    path.write_text(content, "utf-8", "surrogateescape")
    with pytest.raises(BadSetting, match=r"facefix-last-used\.json cannot be used"):
        in_tab(path).read()
    in_tab(path).keep(ONE)
    assert in_tab(path).read() == ONE
    assert path.with_suffix(".broken-1.json").read_text("utf-8", "surrogateescape") == content


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises((CannotWrite, BadSetting)):
        in_tab(last_used_file(tmp_path / "file")).keep(ONE)
