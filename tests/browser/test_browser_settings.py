"""What holds for all pictures is set in Settings."""


def test_the_page_facefix_is_shown_and_kept(desk, webui):
    most, masks = "facefix_faces_at_once", "facefix_save_masks"
    desk.settings("FaceFix")
    desk.shot("settings")
    assert (desk.option(most).value, desk.option(masks).value) == (16, False)
    try:
        desk.option(most).type(5)
        desk.option(masks).tick()
        desk.apply(most, masks)
        desk.open()
        desk.settings("FaceFix")
        desk.option(most).becomes(5)
        desk.option(masks).becomes(True)
    finally:
        webui.post("/sdapi/v1/options", {most: 16, masks: False})


def test_our_restorers_are_offered_for_restore_faces(desk):
    desk.settings("Face restoration")
    desk.shot("settings-face-restoration")
    offered = desk.option("face_restoration_model").place
    assert offered.get_by_label("FaceFix built-in", exact=True).is_visible()
