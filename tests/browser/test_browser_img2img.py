"""A photo is put into img2img."""

import driving
import numpy as np
import pictures
import pytest

PHOTO = pictures.sheet(2, side=128)


@pytest.fixture
def tab(desk, tmp_path):
    """img2img with a photo put in."""
    path = tmp_path / "photo.png"
    PHOTO.save(path)
    tab = desk.tab("img2img")
    tab.put_in(path)
    tab.ask()
    return tab


def around(faces, grown=0.6):
    """Return where in the photo faces are, each box grown by a share of its size, (H, W) bool."""
    area = np.zeros((PHOTO.height, PHOTO.width), bool)
    for face in faces:
        left, top, right, bottom = face["box"]
        x, y = (right - left) * grown, (bottom - top) * grown
        area[driving.inside((left - x, top - y, right + x, bottom + y))] = True
    return area


def test_fix_only_leaves_the_photo_as_it_is_but_for_its_faces(desk, tab):
    tab.unfold()
    tab.control("method").choose("Restore")
    tab.control("skip_img2img").tick()
    tab.generate()
    desk.shot("img2img-fix-only", full=True)
    assert tab.record["passes"] == [{"method": "restore", "skip_img2img": True}]
    assert tab.lines == ["FaceFix: 2 faces: 2 restored"]
    touched = driving.changed(tab.picture, pictures.array(PHOTO))
    assert touched.any()
    assert not touched[~around(tab.record["faces"][0])].any()


def test_img2img_fixes_the_faces_of_what_it_drew(desk, tab):
    desk.draw(PHOTO)
    tab.unfold()
    tab.control("method").choose("Restore")
    tab.generate()
    assert tab.record["passes"] == [{"method": "restore"}]
    assert tab.lines == ["FaceFix: 2 faces: 2 restored"]


def test_pasting_an_infotext_into_img2img_brings_its_own_setting_back(desk, tab):
    tab.unfold()
    tab.control("method").choose("Restore")
    tab.control("skip_img2img").tick()
    infotext = tab.generate()
    tab.control("skip_img2img").tick(False)
    tab.tick_box.uncheck()
    tab.paste(infotext)
    tab.control("skip_img2img").becomes(True)
    tab.is_ticked()
