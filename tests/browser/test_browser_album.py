"""Many photos on the page of `facefix serve`, in a real browser; pictures are kept in build/browser/serve."""

import importlib.util
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

if importlib.util.find_spec("playwright"):
    from playwright.sync_api import expect
    from serving import PATIENCE, facefix

DATA = Path(__file__).parents[1] / "data"
GROUP = DATA / "faceapi_sample4.jpg"


@pytest.fixture(scope="session")
def portraits(tmp_path_factory):
    """Return two small photos of one face each."""
    folder, group = tmp_path_factory.mktemp("portraits"), Image.open(GROUP)
    for number, face in enumerate(faces_of(GROUP)[:2]):
        left, top, right, bottom = face
        side = right - left
        part = (left - side, top - side, right + side, bottom + side)
        group.crop(tuple(map(round, part))).resize((180, 180)).save(folder / f"{number}.jpg", quality=90)
    return sorted(folder.iterdir())


def faces_of(path):
    [picture] = json.loads(facefix("detect", path))["pictures"]
    return [face["box"] for face in picture["faces"]]


def without_faces(path, colour=(90, 120, 60)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (60, 40), colour).save(path)


def broken(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(GROUP.read_bytes()[:400])


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target


def choose_folder(visitor, folder):
    visitor.page.wait_for_selector("#all-method-label", state="attached")
    visitor.page.locator("#folder").set_input_files(folder)


def enhance(visitor, button, summary):
    visitor.page.get_by_role("button", name=button, exact=True).click()
    expect(visitor.page.locator("#doing")).to_have_text(summary, timeout=4 * PATIENCE)


def zip_of(visitor, name, folder):
    path = visitor.saved(visitor.page.get_by_role("button", name=name), folder)
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        return path.name, {one: packed.read(one) for one in packed.namelist()}


def card(visitor, path):
    folder, _, name = path.rpartition("/")
    return visitor.page.locator(".card").filter(has_text=f"{folder}{name}")


def test_of_thirty_photos_in_folders_all_but_the_broken_one_are_in_the_zip_under_their_names(
    visit, portraits, tmp_path
):
    home = tmp_path / "Family"
    for number in range(30):
        path = home / ("1987", "1992/Summer", "")[number % 3] / f"IMG_{number // 3 + 1}.png"
        if number < 4:
            copy(portraits[number % 2], path.with_suffix(".jpg"))
        else:
            broken(path) if number == 7 else without_faces(path, (90, 120, 8 * number))
    (home / "Thumbs.db").write_bytes(b"not a photo")
    (home / "1987" / ".hidden.png").write_bytes(b"not a photo")
    visitor = visit()
    choose_folder(visitor, home)
    expect(visitor.page.locator(".card")).to_have_count(30)
    enhance(visitor, "Enhance 30 photos", "30 photos: 4 enhanced, 25 without faces, 1 failed")
    visitor.shot("album")
    expect(visitor.page.locator(".failures")).to_contain_text("1 photo could not be enhanced")
    expect(visitor.page.locator(".failures li")).to_contain_text("Family/1992/Summer/IMG_3.png")
    expect(card(visitor, "Family/1992/Summer/IMG_3.png").locator(".problem")).not_to_be_empty()
    expect(card(visitor, "Family/IMG_10.png")).to_contain_text("No faces found")
    expect(visitor.page.locator(".card .pair")).to_have_count(4)

    name, packed = zip_of(visitor, "Download 29 photos (ZIP)", tmp_path)
    assert name == "Family.fixed.zip"
    given = {f"Family/{path.relative_to(home).as_posix()}": path for path in home.rglob("IMG_*")}
    assert set(packed) == set(given) - {"Family/1992/Summer/IMG_3.png"}
    assert packed["Family/IMG_10.png"] == given["Family/IMG_10.png"].read_bytes()
    facefix("fix", portraits[0], "-o", tmp_path / "same.jpg")
    assert packed["Family/1987/IMG_1.jpg"] == (tmp_path / "same.jpg").read_bytes()
    assert packed["Family/1987/IMG_1.jpg"] != portraits[0].read_bytes()


def test_a_dropped_folder_is_opened_with_all_folders_in_it(visit, tmp_path):
    home = tmp_path / "Box"
    for name in ("a.png", "1/b.png", "1/2/c.png"):
        without_faces(home / name)
    (home / "1" / "letter.txt").write_text("not a photo")
    visitor = visit()
    visitor.page.wait_for_selector("#all-method-label", state="attached")
    drop_from_disk(visitor.page, home, copy(home / "a.png", tmp_path / "alone.png"))
    cards = visitor.page.locator(".card")
    expect(cards).to_have_count(4)
    paths = [tuple(cards.nth(at).locator(".folder, b").all_inner_texts()) for at in range(4)]
    assert paths == [("alone.png",), ("Box/1/2", "c.png"), ("Box/1", "b.png"), ("Box", "a.png")]


def drop_from_disk(page, *paths):
    """Drop files and folders onto the page as the desktop does."""
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})


def test_a_folder_without_photos_is_refused_in_words(visit, tmp_path):
    (tmp_path / "Letters").mkdir()
    (tmp_path / "Letters" / "letter.txt").write_text("not a photo")
    visitor = visit()
    choose_folder(visitor, tmp_path / "Letters")
    expect(visitor.page.get_by_role("alert")).to_contain_text("There are no photos in this folder.")
    expect(visitor.page.locator("#welcome")).to_be_visible()


def test_photos_of_the_same_name_are_told_apart(visit, tmp_path):
    visitor = visit()
    for folder, colour in (("1", (200, 0, 0)), ("2", (0, 200, 0)), ("3", (0, 0, 200))):
        without_faces(tmp_path / folder / ("SCAN.png" if folder == "2" else "scan.png"), colour)
    visitor.drop(tmp_path / "1/scan.png", tmp_path / "2/SCAN.png", tmp_path / "3/scan.png")
    enhance(visitor, "Enhance 3 photos", "3 photos: 3 without faces")
    name, packed = zip_of(visitor, "Download 3 photos (ZIP)", tmp_path)
    assert name == "photos.fixed.zip"
    pixels = {path: Image.open(io.BytesIO(file)).getpixel((0, 0)) for path, file in packed.items()}
    assert pixels == {"scan.png": (200, 0, 0), "SCAN (2).png": (0, 200, 0), "scan (3).png": (0, 0, 200)}


def test_a_result_opens_at_its_face_and_the_next_one_follows(visit, portraits, tmp_path):
    visitor = visit()
    visitor.drop(*portraits)
    enhance(visitor, "Enhance 2 photos", "2 photos: 2 enhanced")
    page = visitor.page
    page.get_by_role("button", name="Compare 0.jpg before and after").click()
    compare = page.locator("#album facefix-compare")
    expect(compare.locator(".frame")).to_be_visible()
    assert compare.evaluate("(compare) => [compare.face, compare.faces.length]") == [1, 1]
    visitor.shot("album-compare", full=False)
    expect(page.get_by_role("button", name="Previous photo")).to_be_disabled()
    page.get_by_role("button", name="Next photo").click()
    expect(page.get_by_role("heading", name="1.jpg")).to_be_focused()
    side = visitor.saved(page.get_by_role("button", name="Download before and after side by side"), tmp_path)
    assert side.name == "1.before-after.jpg"
    facefix("fix", portraits[1], "-o", tmp_path / "same.jpg")
    before, after = (np.asarray(Image.open(path), np.float32) for path in (portraits[1], tmp_path / "same.jpg"))
    sheet = np.asarray(Image.open(side).convert("RGB"), np.float32)[-184:-4]
    assert sheet.shape == (180, 3 * 4 + 2 * 180, 3)
    left, right = sheet[:, 4:184], sheet[:, 188:368]
    assert abs(left - before).mean() < 3 < abs(before - after).max()
    assert abs(right - after).mean() < abs(right - before).mean()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Compare 1.jpg before and after")).to_be_focused()


def test_a_stopped_album_goes_on_with_the_photos_that_are_not_done(visit, portraits, tmp_path):
    photos = [copy(portraits[number % 2], tmp_path / f"{number}.jpg") for number in range(6)]
    visitor = visit()
    visitor.drop(*photos)
    page = visitor.page
    page.get_by_role("button", name="Enhance 6 photos").click()
    expect(page.locator(".card[data-state=fixed]")).not_to_have_count(0, timeout=PATIENCE)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#fix")).to_be_visible(timeout=PATIENCE)
    done = page.locator(".card[data-state=fixed]").count()
    assert 0 < done < 6
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    rest = f"Enhance {6 - done} photo{'s' if done < 5 else ''}"
    enhance(visitor, rest, "6 photos: 6 enhanced")
    assert len([url for url in sent if url.endswith("/fix")]) == 6 - done


def test_settings_that_the_server_refuses_stop_the_album_and_are_named(visit, portraits):
    visitor = visit()
    visitor.drop(*portraits, *portraits)
    visitor.control("fidelity", "all").evaluate(
        "(field) => { for (let at = field; at; at = at.parentElement) at.open = true }"
    )
    visitor.control("fidelity", "all").fill("3")
    visitor.control("fidelity", "all").press("Tab")
    visitor.page.locator("#fix").click()
    expect(visitor.page.locator("#all-fidelity-problem")).to_contain_text("Fidelity must be between 0 and 1, not 3")
    expect(visitor.page.locator(".card[data-state=failed]")).to_have_count(0)


def test_faces_that_were_edited_are_in_the_zip_as_edited(visit, portraits, tmp_path):
    visitor = visit()
    visitor.drop(*portraits)
    page = visitor.page
    page.get_by_role("button", name="Edit faces of 1.jpg").click()
    visitor.found("1 face found.")
    visitor.choose(1)
    visitor.type("fidelity", 0.2)
    visitor.fix()
    page.get_by_role("button", name="Back to all photos").click()
    enhance(visitor, "Enhance 1 photo", "2 photos: 2 enhanced")
    _, packed = zip_of(visitor, "Download 2 photos (ZIP)", tmp_path)
    facefix("fix", portraits[1], "--face", "1:fidelity=0.2", "-o", tmp_path / "edited.jpg")
    facefix("fix", portraits[0], "-o", tmp_path / "plain.jpg")
    assert packed["1.jpg"] == (tmp_path / "edited.jpg").read_bytes()
    assert packed["0.jpg"] == (tmp_path / "plain.jpg").read_bytes()


def test_results_are_saved_in_the_chosen_format_and_quality_under_names_that_fit(visit, portraits, tmp_path):
    (tmp_path / "old.bmp").write_bytes(b"BM broken")
    visitor = visit()
    visitor.drop(*portraits, tmp_path / "old.bmp")
    visitor.page.get_by_label("File format").select_option("WebP")
    quality = visitor.page.get_by_label("Quality", exact=True)
    quality.fill("60")
    enhance(visitor, "Enhance 3 photos", "3 photos: 2 enhanced, 1 failed")
    _, packed = zip_of(visitor, "Download 2 photos (ZIP)", tmp_path)
    assert {name: Image.open(io.BytesIO(file)).format for name, file in packed.items()} == {
        "0.webp": "WEBP",
        "1.webp": "WEBP",
    }
    visitor.page.get_by_label("File format").select_option("PNG")
    expect(quality).to_be_hidden()
    enhance(visitor, "Enhance 3 photos", "3 photos: 2 enhanced, 1 failed")
    _, exact = zip_of(visitor, "Download 2 photos (ZIP)", tmp_path)
    assert set(exact) == {"0.png", "1.png"}
    one, other = (np.asarray(Image.open(io.BytesIO(file)), np.int16) for file in (packed["0.webp"], exact["0.png"]))
    assert 0 < abs(one - other).mean() < 8


def test_a_single_photo_is_saved_in_the_chosen_format(visit, portraits, tmp_path):
    visitor = visit()
    visitor.drop(portraits[0])
    visitor.found("1 face found.")
    visitor.page.get_by_label("File format").select_option("WebP")
    visitor.settled()
    visitor.fix()
    saved = visitor.saved(visitor.page.get_by_role("button", name="Download 0.fixed.webp"), tmp_path)
    with Image.open(saved) as result:
        assert result.format == "WEBP"
    visitor.page.get_by_label("File format").select_option("PNG")
    saved = visitor.saved(visitor.page.get_by_role("button", name="Download 0.fixed.png"), tmp_path)
    facefix("fix", portraits[0], "-o", tmp_path / "same.png")
    assert saved.read_bytes() == (tmp_path / "same.png").read_bytes()


def test_a_single_photo_is_saved_beside_the_photo_before(visit, portraits, tmp_path):
    visitor = visit()
    visitor.drop(portraits[0])
    visitor.found("1 face found.")
    visitor.fix()
    sheet = visitor.saved(visitor.page.get_by_role("button", name="Download before and after side by side"), tmp_path)
    assert sheet.name == "0.before-after.jpg"
    facefix("fix", portraits[0], "-o", tmp_path / "same.jpg")
    before, after = (np.asarray(Image.open(path), np.float32) for path in (portraits[0], tmp_path / "same.jpg"))
    shown = np.asarray(Image.open(sheet).convert("RGB"), np.float32)[-184:-4]
    left, right = shown[:, 4:184], shown[:, 188:368]
    assert abs(left - before).mean() < 3 < abs(before - after).max()
    assert abs(right - after).mean() < abs(right - before).mean()


def test_another_format_after_saving_is_unsaved_work(visit, portraits, tmp_path):
    visitor = visit()
    visitor.drop(portraits[0])
    visitor.found("1 face found.")
    visitor.fix()
    visitor.saved(visitor.page.get_by_role("button", name="Download 0.fixed.jpg"), tmp_path)
    asked = []
    visitor.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    visitor.page.get_by_label("File format").select_option("PNG")
    visitor.page.get_by_label("File format").click()  # browsers ask only after a gesture
    visitor.page.close(run_before_unload=True)
    visitor.page.wait_for_timeout(1000)
    assert asked == ["beforeunload"]
