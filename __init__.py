"""The entry of a clone in ComfyUI's folder `custom_nodes`. Other hosts and Python itself use the package lib_facefix.

Nothing is imported until ComfyUI asks for the nodes, so the file has no effect where something else imports it.
"""

WEB_DIRECTORY = "./lib_facefix/comfyui/web"
"""Folder of the scripts that ComfyUI's page loads."""


async def comfy_entrypoint() -> object:
    """Return the pack; ComfyUI calls this at its start."""
    from .lib_facefix.comfyui.extension import FaceFixExtension

    return FaceFixExtension()
