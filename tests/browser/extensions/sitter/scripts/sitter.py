"""Lets the model draw prepared pictures in runs that are started from the page: the painter only listens to the API.

POST /sitter: the paths of the pictures, from now on; DELETE /sitter: none.
"""

from modules import script_callbacks, scripts

PATHS = []


class Sitter(scripts.Script):
    def title(self):
        return "Sitter"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def post_sample(self, p, ps, *_):
        painter = next(script for script in p.scripts.alwayson_scripts if script.title() == "Painter")
        painter.post_sample(p, ps, PATHS)


def sit(paths: list[str]):
    PATHS[:] = paths


def serve(_, app):
    app.add_api_route("/sitter", sit, methods=["POST"])
    app.add_api_route("/sitter", PATHS.clear, methods=["DELETE"])


script_callbacks.on_app_started(serve)
