"""Optional packages for the WebUI. Only data, because `install.py` runs this file by itself."""

KEY = "facefix_optional"
"""Key of the chosen packages in the host's config.json."""
OPTIONAL = {
    "onnxruntime": ("onnx>=1.15", "onnxruntime>=1.17"),
    "openvino": ("onnx>=1.15", "openvino>=2024.4"),
}
"""Requirements of each choice, as in the extras of pyproject.toml. Both run restorers on the processor.

onnx comes first, because it can conflict with the host's protobuf, and then nothing else is installed.
"""
NETWORK_USE = {
    "what": "runs pip in a WebUI to install onnxruntime or openvino",
    "when": "you choose one of them in the WebUI's settings of FaceFix, and start the WebUI again",
    "with": "the package index that is configured for pip (pypi.org)",
    "files": ("../install.py",),
}
"""What `install.py` uses the network for, for `facefix doctor`."""
