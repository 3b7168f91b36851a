"""The dialog for better models on the page of `facefix serve`, with the answers of a server that offers some."""

import importlib.util
import json

if importlib.util.find_spec("playwright"):
    from playwright.sync_api import expect

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


def test_a_server_that_does_not_allow_it_has_no_button(visit):
    visitor = visit()
    serving(visitor.page, allowed=False, why_not="only on this computer")
    visitor.open()
    expect(visitor.page.locator("#version")).to_contain_text("0.")
    visitor.page.wait_for_load_state("networkidle")
    expect(visitor.page.get_by_role("button", name="Better models")).to_have_count(0)
