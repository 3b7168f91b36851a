"""Write dlib's own descriptors of the faces in identity.json, by its own five points, chip and net.

pip install dlib-bin face_recognition_models "setuptools<81" pillow numpy
python tests/adapters/golden/make_dlib.py
"""

import json

import dlib
import face_recognition_models as models
import numpy as np
from make_golden import HERE, photo, write


def descriptors(picture, faces):
    """Return the 128 numbers of each face; dlib wants a box like those of its own detector: between brow and chin."""
    shape = dlib.shape_predictor(models.pose_predictor_five_point_model_location())
    net = dlib.face_recognition_model_v1(models.face_recognition_model_location())
    answer = []
    for face in faces:
        five = np.array(face["landmarks"])
        middle, reach = five.mean(0), np.hypot(*(five[1] - five[0])) * 1.15
        left, top = (middle - reach).round().astype(int).tolist()
        right, bottom = (middle + reach).round().astype(int).tolist()
        answer.append(
            list(net.compute_face_descriptor(picture, shape(picture, dlib.rectangle(left, top, right, bottom))))
        )
    return answer


if __name__ == "__main__":
    found = json.loads((HERE / "identity.json").read_text("utf-8"))
    write("dlib", {name: descriptors(np.array(photo(name)), faces) for name, faces in found.items()})
