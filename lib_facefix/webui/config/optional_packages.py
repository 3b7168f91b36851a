"""Packages that a person may have installed into the WebUI; none is needed. Data alone: `install.py` runs this file."""

KEY = "facefix_optional"
"""Under which the host's config.json names the chosen ones."""
OPTIONAL = {
    "onnxruntime": ("onnx>=1.15", "onnxruntime>=1.17"),
    "openvino": ("onnx>=1.15", "openvino>=2024.4"),
}
"""What is installed for each: the extras of pyproject.toml. Both run restorers on processors.

onnx, which readies them, comes first: it is what may not go with a host's protobuf, and is refused before the rest.
"""
