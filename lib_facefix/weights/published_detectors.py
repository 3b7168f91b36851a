"""The weights on offer that find faces."""

from __future__ import annotations

from .weight_record import Published

_FOLDERS = ("facefix", "adetailer", "yolo", "opencv", "onnx")

DETECTING = (
    Published(
        "face_detection_yunet_2023mar.onnx",
        "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        232589,
        "MIT",
        "YuNet is under the MIT licence: free for every use that keeps its notice.",
        (
            "https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/"
            "face_detection_yunet_2023mar.onnx",
        ),
        _FOLDERS,
    ),
    Published(
        "yolov8n-face.onnx",
        "33f3951af7fc0c4d9b321b29cdcd8c9a59d0a29a8d4bdc01fcb5507d5c714809",  # one public source
        0,
        "not stated; its program's is GPL-3.0",
        "Nobody states a licence for these weights; the program that they were trained with is under GPL-3.0, and what "
        "that is built on under AGPL-3.0.",
        ("https://github.com/yakhyo/yolov8-face-onnx-inference/releases/download/weights/yolov8n-face.onnx",),
        _FOLDERS,
        free=False,
    ),
)
