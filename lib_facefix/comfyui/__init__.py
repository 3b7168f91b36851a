"""The ComfyUI pack: nodes that find, plan, restore, re-diffuse and compare faces."""
