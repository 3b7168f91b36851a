"""The dialog for better models on the page of `facefix serve`, with the answers of a server that offers some."""

import importlib.util
import json
import urllib.request

import pytest
from axe import violations

if importlib.util.find_spec("playwright"):
    from playwright.sync_api import expect
    from serving import PATIENCE, Server

MODEL = {
    "name": "gfpgan", "label": "GFPGAN 1.4", "about": "Sharp, clean faces.",
    "licence": "Apache-2.0, parts non-commercial",
    "notice": "Parts of this model are non-commercial.", "free": False, "bytes": 348632874, "sources": ["github.com"],
    "packages": ["torch", "spandrel"], "missing_packages": ["torch", "spandrel"], "weights_here": False, "ready": False,
}  # fmt: skip
SETUP = {
    "version": 1, "allowed": True, "why_not": "", "environment": "venv",
    "command": "python -m pip install torch spandrel",
    "can_install": True, "missing_packages": ["torch", "spandrel"], "package_bytes": 900000000, "job": None,
    "models": [MODEL],
}  # fmt: skip
STATE = {"version": 1, "job": "x7", "state": "running", "done": 120000000, "total": 348632874, "doing": "downloading",
         "error": None, "result": None}  # fmt: skip


def serving(page, states=(), **changes):
    """Answer the calls of the dialog on page; return the bodies that it posts."""
    posted, waiting = [], list(states)

    def answer(route):
        if route.request.method == "POST":
            posted.append(json.loads(route.request.post_data))
            route.fulfill(status=202, json={"version": 1, "job": "x7"})
        else:
            route.fulfill(json={**SETUP, **changes})

    page.route("**/facefix/v1/setup", answer)
    page.route("**/facefix/v1/jobs/x7", lambda route: route.fulfill(json={**STATE, **waiting.pop(0)}))
    return posted


def opened(visitor):
    visitor.open()
    visitor.page.get_by_role("button", name="Better models").click()
    return visitor.page.get_by_role("dialog", name="Better models")


def test_a_model_is_installed_after_consent_with_its_progress(visit):
    visitor = visit()
    posted = serving(visitor.page, [{}, {"state": "done", "result": {"restart": False}}])
    dialog = opened(visitor)
    install = dialog.get_by_role("button", name="Install")
    expect(install).to_be_disabled()
    dialog.get_by_label("GFPGAN 1.4").check()
    expect(dialog).to_contain_text("349 MB from github.com")
    expect(dialog).to_contain_text("about 900 MB: torch, spandrel")
    expect(install).to_be_disabled()
    dialog.get_by_text("Licence of GFPGAN 1.4").click()
    expect(dialog).to_contain_text("Parts of this model are non-commercial.")
    dialog.get_by_label("I have read the licences").check()
    visitor.shot("setup", full=False)
    install.click()
    expect(dialog.get_by_role("progressbar")).to_be_visible()
    expect(dialog).to_contain_text("Downloading: 120 MB of 349 MB")
    expect(dialog).to_contain_text("Installed. The new models are now in the list of restorers.")
    assert posted == [{"models": ["gfpgan"], "accept_licences": True, "install_packages": True}]


def test_after_an_installation_the_model_is_among_the_restorers(visit):
    visitor = visit()
    serving(visitor.page, [{"state": "done", "result": {"restart": False}}])
    dialog = opened(visitor)
    card = visitor.page.locator("#simple .restorer").filter(has=visitor.page.locator("[value='gfpgan']"))
    expect(card.locator("input")).to_be_disabled()

    def answer(route):
        models = json.loads(route.fetch().text())
        [gfpgan] = [one for one in models["restorers"] if one["name"] == "gfpgan"]
        gfpgan["here"] = True
        route.fulfill(json=models)

    visitor.page.route("**/facefix/v1/models", answer)
    dialog.get_by_label("GFPGAN 1.4").check()
    dialog.get_by_label("I have read the licences").check()
    dialog.get_by_role("button", name="Install").click()
    expect(card.locator("input")).to_be_enabled()
    assert card.evaluate("(one) => one.parentElement.className") == "cards"


def test_a_real_server_asks_for_consent_and_explains_a_failed_download(visit, tmp_path, monkeypatch):
    monkeypatch.setenv("FACEFIX_MIRROR", "http://127.0.0.1:9")
    monkeypatch.setenv("FACEFIX_MODELS", str(tmp_path))
    server = Server(tmp_path)
    try:
        with urllib.request.urlopen(f"{server.url}facefix/v1/setup") as answer:
            offers = json.load(answer)["models"]
        if any(offer["missing_packages"] for offer in offers):
            pytest.skip("needs the packages of the restorers")
        visitor = visit(server)
        visitor.page.get_by_role("button", name="Better models").click()
        dialog = visitor.page.get_by_role("dialog", name="Better models")
        expect(dialog.locator(".offer")).to_have_count(len(offers))
        body = {"models": [offers[0]["name"]], "accept_licences": False}
        refused = visitor.page.request.post(f"{server.url}facefix/v1/setup", data=body)
        assert refused.status == 422
        assert refused.json()["detail"][0]["msg"] == "accept the licences of the models first"
        dialog.get_by_label(offers[0]["label"]).check()
        dialog.get_by_label("I have read the licences").check()
        dialog.get_by_role("button", name="Install").click()
        expect(dialog.get_by_role("alert")).to_contain_text("Could not download", timeout=PATIENCE)
    finally:
        server.stop()


def test_where_packages_cannot_be_installed_the_command_is_shown(visit):
    visitor = visit()
    serving(visitor.page, can_install=False)
    dialog = opened(visitor)
    dialog.get_by_label("GFPGAN 1.4").check()
    dialog.get_by_label("I have read the licences").check()
    expect(dialog.locator(".command")).to_have_text("python -m pip install torch spandrel")
    expect(dialog.get_by_role("button", name="Install")).to_be_disabled()


def test_a_failed_installation_is_explained(visit):
    visitor = visit()
    serving(visitor.page, [{"state": "failed", "error": "the disk is full"}])
    dialog = opened(visitor)
    dialog.get_by_label("GFPGAN 1.4").check()
    dialog.get_by_label("I have read the licences").check()
    dialog.get_by_role("button", name="Install").click()
    expect(dialog.get_by_role("alert")).to_have_text("The disk is full")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_axe_finds_nothing_at_any_step_of_the_dialog(visit, width, scheme):
    visitor = visit(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    page = visitor.page
    state = {}  # of the job: running
    done = {**MODEL, "name": "codeformer", "label": "CodeFormer", "ready": True, "weights_here": True}
    serving(page, models=[MODEL, done])
    page.route("**/facefix/v1/jobs/x7", lambda route: route.fulfill(json={**STATE, **state}))
    dialog = opened(visitor)
    install = dialog.get_by_role("button", name="Install")
    expect(dialog.get_by_label("GFPGAN 1.4")).to_be_visible()

    def check(step):
        visitor.shot(f"setup-{width}-{scheme}-{step}", full=False)
        assert violations(page) == [], step

    check("offers")
    dialog.get_by_label("GFPGAN 1.4").check()
    dialog.get_by_text("Licence of GFPGAN 1.4").click()
    dialog.get_by_label("I have read the licences").check()
    check("consent")
    install.click()
    expect(dialog.get_by_role("progressbar")).to_be_visible()
    expect(dialog).to_contain_text("Downloading: 120 MB of 349 MB")
    check("running")
    state.update(state="failed", error="the disk is full")
    expect(dialog.get_by_role("alert")).to_have_text("The disk is full")
    check("failed")
    state.update(state="done", error=None, result={"restart": True})
    install.click()
    expect(dialog).to_contain_text("Installed.")
    check("installed")


def test_a_server_that_does_not_allow_it_has_no_button(visit):
    visitor = visit()
    serving(visitor.page, allowed=False, why_not="only on this computer")
    visitor.open()
    expect(visitor.page.locator("#version")).to_contain_text("0.")
    visitor.page.wait_for_load_state("networkidle")
    expect(visitor.page.get_by_role("button", name="Better models")).to_have_count(0)
