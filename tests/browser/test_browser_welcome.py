"""The page of `facefix serve` before a photo is opened, and its help; pictures are kept in build/browser/serve."""

import importlib.util
from pathlib import Path

import pytest

import lib_facefix

if importlib.util.find_spec("playwright"):
    from playwright.sync_api import expect
    from serving import PATIENCE

EXAMPLES = Path(__file__).parents[2] / "examples"
PAGE = Path(lib_facefix.__file__).parent / "server" / "page"
SIZES = ((1440, 900), (1024, 768), (390, 844))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_how_to_begin_and_where_photos_stay_is_seen_without_scrolling(visit, width, height):
    visitor = visit(viewport={"width": width, "height": height})
    page = visitor.page
    expect(page.locator("#privacy")).to_have_text("Your photos stay on this computer.")
    expect(page.locator("#version")).to_have_text(f"FaceFix {lib_facefix.__version__}", timeout=PATIENCE)
    visitor.shot(f"welcome-{width}", full=False)
    for name in ("#choose", "#choose-folder", "#privacy"):
        box = page.locator(name).bounding_box()
        assert box["y"] + box["height"] <= height, name
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_the_example_is_the_photo_in_examples_and_opens_with_its_faces(visit):
    assert (PAGE / "example.jpg").read_bytes() == (EXAMPLES / "group.jpg").read_bytes()
    visitor = visit()
    visitor.page.get_by_role("button", name="Try the example").click()
    expect(visitor.page.locator("#stage .box")).to_have_count(5, timeout=PATIENCE)
    expect(visitor.page.locator("#name")).to_have_text("example.jpg")


def test_the_help_is_part_of_the_page_and_all_its_links_lead_somewhere(visit):
    visitor = visit(viewport={"width": 390, "height": 844})
    page = visitor.page
    page.get_by_role("link", name="Help").click()
    expect(page.get_by_role("heading", name="Help", exact=True)).to_be_visible()
    visitor.shot("help")
    targets = page.eval_on_selector_all("nav a", "(links) => links.map((link) => link.getAttribute('href'))")
    assert len(targets) == page.locator("main section").count()
    for target in targets:
        expect(page.locator(target)).to_have_count(1)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="Back to FaceFix").click()
    expect(page.locator("#choose")).to_be_visible()
