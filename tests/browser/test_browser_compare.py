"""Under the results: what faces were before."""

import base64
import io

import pictures
import pytest
from PIL import Image
from slider_on_page import Slider, held

expect = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright").expect


def soft(picture):
    """Return the picture with little detail, so that restoring it is seen."""
    return picture.reduce(4).resize(picture.size, Image.Resampling.BICUBIC)


TWO, OTHERS = soft(pictures.sheet(2, side=288)), soft(pictures.sheet(2, side=288, first=4))


@pytest.fixture
def tab(desk):
    """txt2img, where the model draws two faces, which are restored."""
    desk.draw(TWO)
    tab = desk.tab("txt2img")
    tab.ask()
    tab.unfold()
    tab.control("method").choose("Restore")
    yield tab
    desk.tab("txt2img").own("batch_size").type(1)


class Compared:
    """What lies under the result of a tab."""

    def __init__(self, desk, tab):
        self._page = desk.page
        self.place = desk.page.locator(f"#facefix_compare_{tab.kind} .facefix-place")
        self.button = self.place.get_by_role("button", name="Compare faces")
        self.slider = Slider(desk.page, self.place.locator("facefix-compare"))

    def open(self):
        if self.button.get_attribute("aria-expanded") == "false":
            self.button.click()
        return self.slider.ready()

    def picture(self, side):
        """Return what is shown before or after, RGB uint8 (H, W, 3)."""
        url = self.slider.place.evaluate(f"slider => slider.{side}")
        data = base64.b64decode(url.split(",")[1]) if url.startswith("data:") else self._page.request.get(url).body()
        return pictures.array(Image.open(io.BytesIO(data)))

    def shows_before(self, picture):
        """Wait until the picture before is this one, PIL."""
        for _ in range(600):
            shown = self.picture("before")
            if shown.shape == pictures.array(picture).shape and (shown == pictures.array(picture)).all():
                return True
            self._page.wait_for_timeout(50)
        return False

    def says(self, sentence):
        self.place.get_by_text(sentence).wait_for()


@pytest.fixture
def compared(desk, tab):
    return Compared(desk, tab)


def thumbnail(desk, number):
    return desk.page.locator("#txt2img_gallery .thumbnail-item.thumbnail-small").nth(number)


def test_the_result_is_compared_with_what_it_was_before(desk, tab, compared):
    tab.generate()
    slider = compared.open()
    assert (compared.picture("before") == pictures.array(TWO)).all()
    assert (compared.picture("after") == tab.picture).all()
    assert (compared.picture("before") != compared.picture("after")).any()
    assert [slider.face(number).count() for number in (1, 2, 3)] == [1, 1, 0]
    slider.frame.scroll_into_view_if_needed()
    with held(desk.page, slider.at(0.5, 0.5), slider.at(0.25, 0.5)):
        assert slider.now == pytest.approx(25, abs=1)
    desk.shot("compare", of=compared.place)
    slider.face(1).click()
    one, other = slider.transforms
    assert one == other
    with held(desk.page, slider.at(slider.now / 100, 0.8), slider.at(0.3, 0.5)):
        assert slider.now == pytest.approx(30, abs=1)
    desk.shot("compare-face", of=compared.place)
    compared.button.click()
    expect(slider.frame).to_be_hidden()


def test_with_the_keyboard_alone_it_is_opened_used_and_closed(desk, tab, compared):
    tab.generate()
    compared.button.focus()
    slider = compared.slider
    slider.press("Enter")
    slider.ready()
    assert compared.button.get_attribute("aria-expanded") == "true"
    slider.press("Tab", "Tab", "Enter")
    assert slider.face(1).get_attribute("aria-pressed") == "true"
    slider.line.focus()
    slider.press("Home", "Shift+ArrowRight")
    assert slider.now == 10
    compared.button.focus()
    slider.press("Enter")
    expect(slider.frame).to_be_hidden()
    assert compared.button.get_attribute("aria-expanded") == "false"


def test_it_follows_what_is_chosen_in_the_gallery(desk, tab, compared):
    desk.draw(TWO, OTHERS)
    tab.own("batch_size").type(2)
    tab.generate()
    thumbnail(desk, 1).click()
    compared.open()
    assert compared.shows_before(TWO)
    thumbnail(desk, 2).click()
    assert compared.shows_before(OTHERS)
    thumbnail(desk, 0).click()
    compared.says("This is the grid of all images")
    expect(compared.slider.frame).to_be_hidden()
    desk.shot("compare-grid", of=compared.place)


def test_the_next_result_takes_its_place(desk, tab, compared):
    tab.generate()
    compared.open()
    desk.draw(OTHERS)
    tab.own("seed").type(2)
    tab.generate()
    assert compared.shows_before(OTHERS)


def test_a_result_without_fixed_faces_has_nothing_to_compare(desk, tab, compared):
    tab.generate()
    compared.open()
    tab.tick_box.uncheck()
    tab.generate()
    expect(compared.button).to_be_hidden()
    expect(compared.slider.frame).to_be_hidden()


def test_img2img_compares_its_own_result(desk, tab, tmp_path):
    path = tmp_path / "photo.png"
    TWO.save(path)
    other = desk.tab("img2img")
    other.put_in(path)
    other.ask()
    other.unfold()
    other.control("method").choose("Restore")
    other.control("skip_img2img").tick()
    other.generate()
    compared = Compared(desk, other)
    compared.open()
    assert compared.shows_before(TWO)
    assert (compared.picture("after") == other.picture).all()


def test_it_is_seen_in_the_dark_at_200_percent(desk, tab, compared):
    desk.open("?__theme=dark")
    tab = desk.tab("txt2img")
    tab.ask()
    tab.unfold()
    tab.control("method").choose("Restore")
    tab.generate()
    desk.page.evaluate("document.body.style.zoom = 2")
    slider = compared.open()
    slider.frame.hover()  # the page is still being laid out: this waits until it rests
    with held(desk.page, slider.at(0.5, 0.3), slider.at(0.7, 0.3)):
        assert slider.now == pytest.approx(70, abs=2)
    desk.shot("compare-dark-200-percent")
    desk.page.evaluate("document.body.style.zoom = 1")
    desk.shot("compare-dark", of=desk.page.locator("#txt2img_results"))
