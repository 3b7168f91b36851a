"""The WebUI's scripts and callbacks of FaceFix.

The host runs this file again when its UI is reloaded, but keeps the library, so callbacks are registered here.
"""

from modules import script_callbacks, scripts, scripts_postprocessing

from lib_facefix.webui import script as facefix
from lib_facefix.webui.extras import script
from lib_facefix.webui.host.callbacks import register


class FaceFixScript(scripts.Script):
    """Finds the faces of a batch and fixes them together."""

    defaults = ()
    """Initial values of the controls, once these were made."""

    def title(self):
        """Return the name for the API."""
        return facefix.TITLE

    def show(self, is_img2img):  # noqa: ARG002 the same in both tabs
        """Show the accordion in txt2img and img2img."""
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        """Return the controls; the host's API calls this again, and only reads their values then."""
        if self.defaults:
            return self.defaults
        accordion = facefix.build_controls(is_img2img, self.elem_id)
        self.infotext_fields = facefix.make_infotext_fields(accordion)
        self.paste_field_names = [target for _, target in self.infotext_fields]  # fields that "Send to" copies
        self.defaults = accordion.defaults
        return accordion.components

    def before_process(self, p, *args):
        """Check the settings before anything is generated."""
        facefix.check_run(p, args)

    def process(self, p, *args):
        """Record the settings."""
        facefix.record_settings(p, args)
        facefix.keep_last_used(p, args, self.is_img2img)

    def postprocess_batch_list(self, p, pp, *args, batch_number=0, **_):
        """Fix the faces of all images of the batch."""
        facefix.fix_batch(p, pp, args, batch_number)

    def postprocess_image(self, p, pp, *_):  # noqa: ARG002 the host's form
        """Say so if the host's "Restore faces", which has just run, failed with one of our restorers."""
        facefix.report_restoration(p)

    def postprocess_image_after_composite(self, p, pp, *args):
        """Fix the faces of an image that was not finished in the batch."""
        facefix.fix_finished(p, pp, args)

    def postprocess(self, p, processed, *_):
        """Keep the originals, so that the page can compare them."""
        facefix.keep_originals(p, processed)


class FaceFixExtras(scripts_postprocessing.ScriptPostprocessing):
    """Fixes the faces of an image in the extras tab."""

    name = script.TITLE
    order = script.ORDER

    def ui(self):
        """Return the controls by name."""
        from lib_facefix.webui.extras.panel import build

        return build()

    def process_firstpass(self, pp, **args):
        """Record the image before other scripts change it."""
        script.remember(pp, args)

    def process(self, pp, **args):
        """Fix the faces of the image as changed by earlier scripts."""
        script.process(pp, args)


register(script_callbacks.on_ui_settings, facefix.add_options, __file__)
register(script_callbacks.on_before_ui, facefix.register, __file__)
register(script_callbacks.on_after_component, facefix.make_component_hook(), __file__)
register(script_callbacks.on_before_image_saved, facefix.mark_saved, __file__)
register(script_callbacks.on_image_saved, facefix.mark_saved_file, __file__)
register(script_callbacks.on_app_started, facefix.mount_api, __file__)
