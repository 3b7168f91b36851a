"""A reference photo that is sent with the photo, so that the server needs no file of it."""

from pathlib import Path

import pytest
from PIL import Image
from sending import coded, packed, sent, where

from lib_facefix.server.routes import PREFIX

GROUP = Path(__file__).parents[1] / "data" / "faceapi_sample4.jpg"


@pytest.fixture(scope="module")
def group():
    return GROUP.read_bytes()


def portrait(client, group, number):
    """Return a photo of one face of the group, as a page would cut it out."""
    faces = client.post(f"{PREFIX}/plan", json=sent(group)).json()["faces"]
    [left, top, right, bottom] = next(face["box"] for face in faces if face["number"] == number)
    margin = 0.4 * (right - left)
    with Image.open(GROUP) as photo:
        return packed(photo.convert("RGB").crop((left - margin, top - margin, right + margin, bottom + margin)))


def test_only_the_person_in_the_photo_that_is_sent_is_fixed(client, group):
    reference = coded(portrait(client, group, 3))
    settings = {"method": "restore"}
    plan = client.post(f"{PREFIX}/plan", json=sent(group, settings=settings, reference=reference)).json()
    decisions = {face["number"]: face["decision"] for face in plan["faces"]}
    assert decisions == {1: "leave", 2: "leave", 3: "restore", 4: "leave"}
    assert next(face["distance"] for face in plan["faces"] if face["number"] == 3) < 0.2
    others = {"method": "restore", "person_means": "all but"}
    again = client.post(f"{PREFIX}/replan", json={"plan": plan, "settings": others, "compared": True}).json()
    assert [face["number"] for face in again["faces"] if face["decision"] == "leave"] == [3]
    everyone = client.post(f"{PREFIX}/replan", json={"plan": plan, "settings": settings}).json()
    assert {face["decision"] for face in everyone["faces"]} == {"restore"}


@pytest.mark.parametrize(
    ("reference", "place", "sentence"),
    [
        (coded(b"no photo"), "body.reference", "the image cannot be used: its format is not supported"),
        (coded(packed(Image.new("RGB", (64, 64)))), "body", "no face was found in the reference photo. Choose"),
    ],
)
def test_a_reference_photo_of_nobody_is_refused(client, group, reference, place, sentence):
    refused = client.post(f"{PREFIX}/plan", json=sent(group, reference=reference))
    [(found, told)] = where(refused).items()
    assert found.startswith(place)
    assert sentence in told
