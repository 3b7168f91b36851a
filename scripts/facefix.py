"""What the WebUI executes: it hands the host's calls on, and registers what is to be offered.

The host runs this file again whenever its UI is reloaded, while the library stays: so callbacks are registered here.
"""

from modules import script_callbacks, scripts, scripts_postprocessing

from lib_facefix.webui import script as facefix
from lib_facefix.webui.extras import script


class FaceFixScript(scripts.Script):
    """Finds the faces of a batch and fixes them together."""

    def title(self):
        """Return the name by which the API calls it."""
        return facefix.TITLE

    def show(self, is_img2img):  # noqa: ARG002 the same in both tabs
        """Stand in txt2img and img2img, as an accordion."""
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        """Return the controls; called several times, so nothing is kept but what the host asks for."""
        accordion = facefix.build_controls(is_img2img, self.elem_id)
        self.infotext_fields = facefix.make_infotext_fields(accordion)
        self.paste_field_names = [target for _, target in self.infotext_fields]  # what "Send to" carries
        return accordion.components

    def before_process(self, p, *args):
        """Check what is asked for, before anything is drawn."""
        facefix.check_run(p, args)

    def process(self, p, *args):
        """Record the settings."""
        facefix.record_settings(p, args)

    def postprocess_batch_list(self, p, pp, *args, batch_number=0, **_):
        """Fix the faces of all pictures of the batch."""
        facefix.fix_batch(p, pp, args, batch_number)

    def postprocess_image_after_composite(self, p, pp, *args):
        """Fix the faces of a picture that the host was not done with before."""
        facefix.fix_finished(p, pp, args)

    def postprocess(self, p, processed, *_):
        """Keep the pictures as they were before, for the page to compare."""
        facefix.keep_originals(p, processed)


class FaceFixExtras(scripts_postprocessing.ScriptPostprocessing):
    """Fixes the faces of a picture in the extras tab."""

    name = script.TITLE
    order = script.ORDER

    def __init__(self):
        self._firsts = script.InputImages()

    def ui(self):
        """Return the controls by name."""
        from lib_facefix.webui.extras.panel import build

        return build()

    def process_firstpass(self, pp, **args):
        """Look at the picture before other scripts change it."""
        self._firsts.remember(pp, args)

    def process(self, pp, **args):
        """Fix the faces of the picture, as it has become."""
        script.process(pp, self._firsts.get(pp), args)


script_callbacks.on_ui_settings(facefix.add_options)
script_callbacks.on_before_ui(facefix.register)
script_callbacks.on_after_component(facefix.make_compare_hook())
script_callbacks.on_after_component(script.add_slider)
script_callbacks.on_app_started(facefix.mount_api)
