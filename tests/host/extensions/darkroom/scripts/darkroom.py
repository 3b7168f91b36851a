"""Runs the extras tab over a folder, with values for its scripts, as the page does and the host's own API cannot.

POST /darkroom: input, output: folders. scripts: the values of scripts by name, each by component name; {} for none.
    Gives back what stands under the result.
"""

import inspect

from modules import call_queue, postprocessing, script_callbacks, scripts

AS_IT_IS = {
    "upscale_enabled": True,
    "upscale_mode": 0,
    "upscale_by": 1,
    "max_side_length": 0,
    "upscaler_1_name": "None",
}
"""Values with which the host's own upscaling changes nothing; it cannot do without any."""


def develop(order: dict):
    values = {**order["scripts"], "Upscale": {**AS_IT_IS, **order["scripts"].get("Upscale", {})}}
    args = scripts.scripts_postproc.create_args_for_run(values)
    given = [2, None, None, order["input"], order["output"], True]
    known = inspect.signature(postprocessing.run_postprocessing).parameters.values()
    given += [None] * (sum(one.kind is one.POSITIONAL_OR_KEYWORD for one in known) - len(given))  # a video, on some
    with call_queue.queue_lock:
        _, said, _ = postprocessing.run_postprocessing(*given, *args)
    return said


script_callbacks.on_app_started(lambda _, app: app.add_api_route("/darkroom", develop, methods=["POST"]))
