"""The preview of detection in txt2img and img2img."""
