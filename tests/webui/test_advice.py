"""What the console of a WebUI says about the restorer "auto"."""

import pytest

from lib_facefix.models.restorer_choice import RestorerChoice
from lib_facefix.webui.passes.advice import explain_choice, tell_choice

BUILT_IN = RestorerChoice("lite", "only the built-in restorer is installed; `facefix setup` shows better ones")


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        (
            RestorerChoice("restoreformer++"),
            "auto stands for RestoreFormer++, the best restorer that is installed and that you may use.",
        ),
        (
            RestorerChoice("lite", "as on the command line", "gfpgan", "licence"),
            "GFPGAN 1.4 is here, but auto may not use it. Settings > FaceFix > Accepted licences changes that.",
        ),
        (RestorerChoice("lite", "its file was changed", "gfpgan", "file"), "its file was changed."),
        (
            BUILT_IN,
            "auto uses the built-in restorer. Copy the file of a better one, such as RestoreFormer++.ckpt, into the "
            "WebUI's folder models/facefix.",
        ),
    ],
    ids=["chosen", "licence", "file", "only the built-in"],
)  # fmt: skip
def test_the_sentence_fits_a_webui_which_has_no_setup(chosen, says):
    assert explain_choice(chosen) == says


def test_it_is_said_once_and_again_only_if_the_choice_changes(capsys):
    tell_choice.cache_clear()
    for chosen in (BUILT_IN, BUILT_IN, RestorerChoice("gfpgan"), RestorerChoice("gfpgan")):
        tell_choice(chosen)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("FaceFix: auto uses the built-in restorer. ")
    assert second.startswith("FaceFix: auto stands for GFPGAN 1.4, ")
