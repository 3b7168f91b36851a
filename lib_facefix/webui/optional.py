"""Packages that a person may have installed into the WebUI; none is needed. Data alone: `install.py` runs this file."""

KEY = "facefix_optional"
"""Under which the host's config.json names the chosen ones."""
OPTIONAL = {
    "onnxruntime": ("onnxruntime>=1.17", "onnx>=1.15"),
    "openvino": ("openvino>=2024.4", "onnx>=1.15"),
}
"""What is installed for each: the extras of pyproject.toml. Both run restorers on processors; onnx readies them."""
