"""A restorer that is not installed: what the page says of it, who may download it there, and how that goes."""

import threading

import pytest
from toolkit import handler

from lib_facefix.errors import BadModel, BadSetting, CannotFetch
from lib_facefix.webui.config import restorer_files
from lib_facefix.webui.config.choices import host_list
from lib_facefix.webui.config.restorer_files import (
    check_installed,
    describe_offer,
    download,
    explain_refusal,
    find_missing,
)
from lib_facefix.webui.passes.settings import PassSettings

URL = "https://github.com/sczhou/CodeFormer/releases/download/v0.1.0/codeformer.pth"
OFFERED = (
    "CodeFormer is not installed. Download 377 MB from github.com to {own}? CodeFormer is under the S-Lab Licence 1.0: "
    "for non-commercial use only. For commercial use, ask its authors for permission."
)


pytestmark = pytest.mark.filterwarnings("ignore")  # the toolkit's own, which differ from version to version


def by_id(page, name):
    return next(block for block in page.blocks.values() if block.elem_id == name)


@pytest.fixture
def own(host, away_from_home, monkeypatch):
    """The folder for downloads of a WebUI that only this machine can reach."""
    monkeypatch.delenv("FACEFIX_OFFLINE", raising=False)
    monkeypatch.delenv("FACEFIX_MIRROR", raising=False)
    return host.models / "facefix"


@pytest.fixture
def offer(own):
    return find_missing("codeformer")


def test_what_is_built_in_or_named_by_its_path_misses_nothing(own):
    assert [find_missing(name) for name in ("lite", "/my/own.pth", "")] == [None] * 3
    assert {"codeformer", "gfpgan"} <= {*host_list("missing restorers")}
    assert "lite" not in host_list("missing restorers")


def test_a_file_that_the_webui_has_is_found(own, host):
    place = host.models / "Codeformer" / "codeformer.pth"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"something")
    assert find_missing("codeformer") is None
    assert "codeformer" not in host_list("missing restorers")


@pytest.mark.parametrize("method", ["auto", "restore"])
def test_a_pass_that_may_restore_with_it_is_refused_in_words(own, method):
    with pytest.raises(BadModel) as told:
        check_installed(PassSettings(restorer="codeformer", method=method))
    assert str(told.value) == (
        "CodeFormer is not installed. Select it as Restorer under FaceFix and press Download, or "
        f"download {URL} (377 MB) to {own}"
    )


@pytest.mark.parametrize("settings", [PassSettings(), PassSettings(restorer="codeformer", method="re-diffuse")])
def test_a_pass_that_does_without_it_is_not(own, settings):
    check_installed(settings)


def test_size_source_place_and_licence_are_told_first(own, offer):
    assert describe_offer(offer) == OFFERED.format(own=own)
    assert explain_refusal(offer) == ""


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({"listen": True}, "Other machines can reach this page, so it downloads nothing."),
        ({"share": True}, "Other machines can reach this page, so it downloads nothing."),
        ({"server_name": "0.0.0.0"}, "Other machines can reach this page, so it downloads nothing."),
        ({"facefix_offline": True}, "Downloads are turned off by --facefix-offline."),
        ({"server_name": "127.0.0.1"}, ""),
        ({"listen": True, "enable_insecure_extension_access": True}, ""),
    ],
)
def test_who_may_not_download_is_told_how_to_get_the_file(host, own, offer, flags, why):
    vars(host.cmd_opts).update(flags)
    by_hand = f"Instead, download {URL} (377 MB) to {own}."
    assert explain_refusal(offer) == (f"CodeFormer is not installed. {why} {by_hand}" if why else "")
    if why:
        with pytest.raises(BadSetting):
            next(download(offer))


@pytest.fixture
def server(monkeypatch):
    """A stand-in for the download, which goes on when told to."""

    class Server:
        def __init__(self):
            self.goes_on, self.stopped, self.error = threading.Event(), None, None

        def carry_out(self, offers, paths, *, tell, should_stop):
            tell(94_159_475, offers[0].record.bytes, "downloading")
            while not self.goes_on.wait(0.01):
                if should_stop():
                    self.stopped = True
                    return
            if self.error:
                raise self.error
            paths.own.mkdir(parents=True, exist_ok=True)
            (paths.own / offers[0].record.name).write_bytes(b"weights")

    made = Server()
    monkeypatch.setattr(restorer_files, "carry_out", made.carry_out)
    monkeypatch.setattr(restorer_files, "TELL_EVERY", 0.05)
    return made


def test_progress_is_told_until_the_file_is_there(own, offer, server):
    told = download(offer)
    sentence = next(told)
    while "25%" not in sentence:
        sentence = next(told)
    assert sentence == "Downloading codeformer-v0.1.0.pth: 25% of 377 MB"
    with pytest.raises(BadSetting, match="another restorer is being downloaded"):
        next(download(find_missing("gfpgan")))
    server.goes_on.set()
    assert all("Downloading" in sentence for sentence in told)
    assert find_missing("codeformer") is None


def test_a_failure_is_raised_and_the_next_try_begins_anew(own, offer, server):
    server.error = CannotFetch("github.com cannot be reached")
    server.goes_on.set()
    for _ in range(2):
        with pytest.raises(CannotFetch, match="cannot be reached"):
            list(download(offer))


def test_a_page_that_is_closed_stops_the_download(own, offer, server):
    told = download(offer)
    next(told)
    told.close()
    assert server.stopped
    server.goes_on.set()
    list(download(offer))
    assert find_missing("codeformer") is None


class State:
    """What the line is told of a restorer."""

    installed, refusal, error = False, "", None

    def find(self, name):
        return None if self.installed or name == "lite" else name

    def download(self, offer):
        yield "half of it"
        if self.error:
            raise self.error
        self.installed = True


@pytest.fixture
def state():
    return State()


@pytest.fixture
def room(gradio, on_page, monkeypatch, state):
    """The line's module on stand-ins for what it asks of the WebUI."""
    room = on_page("ui.download")
    asked = {"find_missing": state.find, "download": state.download, "describe_offer": lambda _: "<really>?"}
    for name, answer in {**asked, "explain_refusal": lambda _: state.refusal}.items():
        monkeypatch.setattr(restorer_files, name, answer)
    return room


def test_the_line_below_the_restorer_comes_and_goes(gradio, room):
    with gradio.Blocks() as page:
        restorer = gradio.Textbox(elem_id="restorer")
        line = room.RestorerDownload(lambda name: name)
        line.show("lite")
        line.listen(restorer)
    note, button = by_id(page, "download_note"), by_id(page, "download")
    assert (note.visible, button.visible) == (False, False)
    choose, press = handler(page, restorer, "change"), handler(page, button, "click")
    said, offered = choose("codeformer")
    assert (said["value"], said["visible"], offered["visible"]) == ("<p>&lt;really&gt;?</p>", True, True)
    told = [(said["value"], offered["visible"]) for said, offered in press("codeformer")]
    assert told == [("<p>Half of it</p>", False), ("<p>CodeFormer is installed.</p>", False)]
    assert [change["visible"] for change in choose("codeformer")] == [False, False]


def test_the_line_is_about_the_first_restorer_that_is_missing(room):
    said, offered = room.show_offer("lite\ncodeformer\ngfpgan")
    assert (said["visible"], offered["visible"]) == (True, True)
    *_, last = room.download_restorer("lite\ngfpgan")
    assert last[0]["value"] == "<p>GFPGAN 1.4 is installed.</p>"


def test_after_a_download_the_page_reads_its_lists_again(gradio, room):
    with gradio.Blocks() as page:
        restorer = gradio.Textbox()
        line = room.RestorerDownload(lambda name: name)
        line.show("codeformer")
        line.listen(restorer)
    assert [one["js"] for one in page.config["dependencies"] if one["js"]] == ["() => facefix.readLists()"]


def test_a_page_that_may_not_download_has_a_reason_and_no_button(room, state):
    state.refusal = "not from here"
    said, offered = room.show_offer("codeformer")
    assert (said["value"], offered["visible"]) == ("<p>Not from here</p>", False)


def test_a_download_that_fails_is_told_and_can_be_tried_again(room, state):
    state.error = CannotFetch("github.com cannot be reached")
    *_, (said, offered) = room.download_restorer("codeformer")
    assert (said["value"], offered["visible"]) == ("<p>github.com cannot be reached</p>", True)
