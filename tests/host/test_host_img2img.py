"""Hires fix, img2img, inpainting of the whole picture and of the masked part alone, and what stands beside them."""

import numpy as np
import pictures
import pytest
from driving import QUICK, changed, difference, inside, packed
from PIL import Image

PHOTO = pictures.sheet(2)
FEW = {"steps": 2, "denoising_strength": 0.5}


def over(left, top, right, bottom):
    """A mask of the photo's size."""
    mask = Image.new("L", PHOTO.size)
    mask.paste(255, (left, top, right, bottom))
    return mask


RIGHT_FACE = over(200, 0, 384, 192)


def test_with_hires_fix_the_faces_of_the_large_picture_are_fixed_once(host):
    hires = {"enable_hr": True, "hr_scale": 2, "hr_upscaler": "None", "hr_second_pass_steps": 1, **FEW}
    hires["hr_additional_modules"] = ["Use same choices"]  # Forge takes no hires pass over the API without
    made = host.txt2img(QUICK, draws=[PHOTO], width=192, height=96, **hires)
    plain = host.txt2img(QUICK, draws=[PHOTO])
    assert [run["batch_size"] for run in host.runs()] == [2, 2]  # of either picture
    assert made.picture.shape == (192, 384, 3)
    assert difference(made.picture, plain.picture) <= 1


def test_img2img_fixes_what_it_has_drawn(host):
    made = host.img2img(PHOTO.resize((192, 96)), QUICK, draws=[PHOTO], **FEW)
    assert [run["batch_size"] for run in host.runs()] == [2]
    assert [face["do"] for face in made.faces().values()] == ["re-diffuse"] * 2


@pytest.mark.parametrize(("choice", "fixed"), [("all", {1, 2}), ("inside", {2}), ("outside", {1})])
def test_inpainting_fixes_the_faces_that_are_asked_for(host, choice, fixed):
    made = host.img2img(PHOTO, {**QUICK, "inpaint": choice}, mask=RIGHT_FACE, draws=[PHOTO], mask_blur=0, **FEW)
    assert {number for number, face in made.faces().items() if face["do"] == "re-diffuse"} == fixed
    where = changed(made.picture, pictures.array(PHOTO))
    assert where[:, :192].any() == (1 in fixed)
    assert where[:, 192:].any() == (2 in fixed)
    assert sum(run["batch_size"] for run in host.runs()) == len(fixed)


def test_an_inverted_mask_turns_inside_and_outside_round(host):
    made = host.img2img(
        PHOTO, {**QUICK, "inpaint": "inside"}, mask=RIGHT_FACE, inpainting_mask_invert=1, draws=[PHOTO], **FEW
    )
    assert [face["do"] for face in made.faces().values()] == ["re-diffuse", "leave"]


def test_where_only_the_masked_part_is_drawn_the_faces_of_the_whole_picture_are_fixed(host):
    masked = {"mask": over(170, 10, 210, 60), "inpaint_full_res": True, "inpaint_full_res_padding": 8, **FEW}
    size = {"width": 64, "height": 64}
    plain = host.img2img(PHOTO, **masked, **size)
    made = host.img2img(PHOTO, QUICK, **masked, **size)
    assert made.picture.shape == (192, 384, 3)
    assert [face["do"] for face in made.faces().values()] == ["re-diffuse"] * 2
    where = changed(made.picture, plain.picture)
    assert all(where[inside(face["box"])].mean() > 0.5 for face in made.faces().values())
    assert not where[:, 175:205].any()


def test_only_fixing_leaves_img2img_out_and_keeps_the_photo_s_bytes(host):
    made = host.img2img(PHOTO, {**QUICK, "skip_img2img": True}, **FEW)
    main, *nested = host.all_runs()
    assert main["items"] == []
    assert [run["batch_size"] for run in nested] == [2]
    where = changed(made.picture, pictures.array(PHOTO))
    boxes = [face["box"] for face in made.faces().values()]
    assert all(where[inside(box)].mean() > 0.5 for box in boxes)
    for left, top, right, bottom in boxes:  # generously: twice the face
        where[inside((left - 45, top - 45, right + 45, bottom + 45))] = False
    assert not where.any()


def test_only_fixing_takes_every_picture_of_a_batch_as_it_is(host):
    other = pictures.sheet(2, first=2)
    asked = {**QUICK, "skip_img2img": True, "faces": "9"}
    made = host.img2img(PHOTO, asked, init_images=[packed(PHOTO), packed(other)], batch_size=2, **FEW)
    assert difference(made.pictures[0], pictures.array(PHOTO)) == 0
    assert difference(made.pictures[1], pictures.array(other)) == 0


def test_only_fixing_inside_of_an_inpainted_area(host):
    asked = {**QUICK, "skip_img2img": True, "inpaint": "inside"}
    made = host.img2img(PHOTO, asked, mask=RIGHT_FACE, **FEW)
    where = changed(made.picture, pictures.array(PHOTO))
    assert not where[:, :192].any()
    assert where[:, 192:].any()


def test_soft_inpainting_beside_us_does_what_it_does_without_us(host):
    soft = {"Soft Inpainting": {"args": [True, 1, 0.5, 4, 1, 0.5, 2]}}
    masked = {"mask": over(150, 0, 234, 192), "mask_blur": 16, "scripts": soft, "denoising_strength": 1.0}
    plain = host.img2img(PHOTO, **masked)
    made = host.img2img(PHOTO, QUICK, **masked)
    assert "Soft inpainting enabled: True" in made.infotexts[0]
    where = np.abs(made.picture.astype(int) - plain.picture).max(axis=2) > 1  # it differs by 1 from run to run
    boxes = [face["box"] for face in made.faces().values()]
    assert boxes
    assert all(where[inside(box)].any() for box in boxes)
    for left, top, right, bottom in boxes:
        where[inside((left - 45, top - 45, right + 45, bottom + 45))] = False
    assert not where.any()


def test_the_built_in_restoring_of_faces_can_be_ours(host):
    shown = [one["props"] for one in host.webui.get("/config")["components"]]
    offered = next(one["choices"] for one in shown if one.get("elem_id") == "setting_face_restoration_model")
    names = [name if isinstance(name, str) else name[0] for name in offered]
    ours = next(name for name in names if name == "FaceFix built-in")
    picture = PHOTO.resize((192, 96)).resize((384, 192))
    with host.options(face_restoration_model=ours):
        made = host.txt2img(draws=[picture], restore_faces=True)
    assert changed(made.picture, pictures.array(picture)).any()
