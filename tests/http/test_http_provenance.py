"""The record of edits over HTTP: results are marked, and images with a mark are returned as they are unless asked."""

import base64

from lib_facefix.pictures import read_picture
from lib_facefix.provenance import read_edits

FIX = "/facefix/v1/fix"
RESTORE = {"method": "restore"}


def send(client, image, call=FIX, **body):
    answer = client.post(call, json={"image": base64.b64encode(image).decode(), "settings": RESTORE, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


def edits_of(answer, folder):
    path = folder / "answer.jpg"
    path.write_bytes(base64.b64decode(answer["image"]))
    return read_edits(read_picture(path).metadata)


def test_a_result_is_marked_and_not_fixed_again_unless_asked(client, photo, tmp_path):
    first = send(client, photo)
    assert first["fixed_before"] is None
    [edit] = edits_of(first, tmp_path)
    assert (edit.action, edit.model, edit.face) == ("restore", "lite", 1)

    result = base64.b64decode(first["image"])
    again = send(client, result)
    assert base64.b64decode(again["image"]) == result
    assert (again["faces"], again["result_size"]) == ([], [256, 256])
    assert again["fixed_before"].endswith("1 face restored with lite")
    assert '"again": true' in again["notes"][-1]

    asked = send(client, result, again=True)
    assert [face["outcome"] for face in asked["faces"]] == ["fixed"]
    assert asked["fixed_before"] == again["fixed_before"]
    assert len(edits_of(asked, tmp_path)) == 2


def test_a_result_without_a_mark(client, photo, tmp_path):
    assert edits_of(send(client, photo, mark=False), tmp_path) == ()


def test_a_plan_tells_it_also_for_faces_that_were_found_before(client, photo):
    result = base64.b64decode(send(client, photo)["image"])
    plan = "/facefix/v1/plan"
    assert "fixed_before" not in send(client, photo, plan)
    told = [send(client, result, plan)["fixed_before"] for _ in range(2)]
    assert told[0] == told[1]
    assert told[0].endswith("1 face restored with lite")
