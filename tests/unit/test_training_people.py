"""The pictures and people that `lite` is trained with: sheets, tables, weights. No picture is needed."""

import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from lib_facefix.imaging.align import FFHQ_512
from training.people import balance, load
from training.people.roster import (
    CHEEKS,
    COLUMNS,
    Person,
    format_people,
    measure_ita,
    name_tone,
    parse_people,
    read_people,
)
from training.people.sheets import cut_cells, fingerprint, is_copy
from training.people.sources import PublishedFile, fetch_published, parse_sources, read_sources
from training.pictures import HELD_OUT, TRAINING

SIDE, GAP, TOP, LEFT = 320, 14, 60, 9
HEAD = "set\trepository\tcommit\tpath\tsha256\tlicence\n"


def noise(seed, side=SIDE, low=0):
    random = np.random.default_rng(seed)
    return cv2.resize(random.integers(low, 256, (24, 24, 3), np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)


def make_sheet(cells):
    """A sheet of 2 x 3 cells with title lines above each row, like those of matplotlib."""
    sheet = np.zeros((TOP + 2 * (SIDE + TOP), LEFT + 3 * (SIDE + GAP), 3), np.uint8)
    for row in range(2):
        y = TOP + row * (SIDE + TOP)
        sheet[y - 20 : y - 10, ::3] = 255
        for column in range(3):
            x = LEFT + column * (SIDE + GAP)
            sheet[y : y + SIDE, x : x + SIDE] = cells[row][column]
    return sheet


def test_cells_are_cut_where_they_are():
    cells = [[noise(3 * row + column, low=60) for column in range(3)] for row in range(2)]
    found = {(row, column): cell for row, column, cell in cut_cells(make_sheet(cells))}
    assert sorted(found) == [(row, column) for row in range(2) for column in range(3)]
    for (row, column), cell in found.items():
        np.testing.assert_array_equal(cell, cells[row][column][2:-2, 2:-2], err_msg=f"cell {row}, {column}")


def test_a_cell_with_a_black_rim_keeps_its_width():
    cells = [[noise(3 * row + column, low=60) for column in range(3)] for row in range(2)]
    cells[0][1][:, :90] = 0
    widths = {(row, column): cell.shape[1] for row, column, cell in cut_cells(make_sheet(cells))}
    assert set(widths.values()) == {SIDE - 4}


def test_a_black_sheet_has_no_cells():
    assert list(cut_cells(np.zeros((900, 900, 3), np.uint8))) == []


def test_a_resaved_copy_is_recognised_and_another_picture_is_not():
    bits = fingerprint(noise(1))
    _, file = cv2.imencode(".jpg", cv2.resize(noise(1), (317, 318), interpolation=cv2.INTER_AREA))
    copy = fingerprint(cv2.imdecode(file, cv2.IMREAD_COLOR))
    others = [fingerprint(noise(seed)) for seed in range(2, 30)]
    assert is_copy(copy, [*others, bits])
    assert not is_copy(copy, others)


def test_sources_are_parsed_with_address_and_name():
    row = f"sheets\tsomebody/pictures\t{'c' * 40}\tfigures/two words.jpg\t{'a' * 64}\tMIT"
    [file] = parse_sources([HEAD, row])
    assert file == PublishedFile("sheets", "somebody/pictures", "c" * 40, "figures/two words.jpg", "a" * 64, "MIT")
    assert file.address == f"https://raw.githubusercontent.com/somebody/pictures/{'c' * 40}/figures/two%20words.jpg"
    assert file.name == "pictures-figures-two_words.jpg"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param(["set\tpath\n"], "first line", id="other columns"),
        pytest.param([HEAD, "sheets\ta/b\tc\td\t\tMIT"], "line 2 has not all", id="no hash"),
        pytest.param([HEAD, f"sheets\ta/b\tc\td\t{'A' * 64}\tMIT"], "not a SHA-256", id="capitals"),
        pytest.param([HEAD, "sheets\ta/b\tc\td\tabc\tMIT"], "not a SHA-256", id="short hash"),
    ],
)
def test_a_broken_table_of_sources_is_refused(lines, message):
    with pytest.raises(ValueError, match=message):
        parse_sources(lines)


def published(content):
    return PublishedFile("sheets", "a/b", "c" * 40, "figures/one.jpg", hashlib.sha256(content).hexdigest(), "MIT")


def refuse(address):
    raise AssertionError(f"{address} was asked for")


@pytest.mark.parametrize("place", ["b-figures-one.jpg", "figures/one.jpg"])
@pytest.mark.parametrize("folder", ["cache", "copies"])
def test_a_file_that_is_here_is_not_downloaded(tmp_path, folder, place):
    path = tmp_path / folder / place
    path.parent.mkdir(parents=True)
    path.write_bytes(b"picture")
    assert fetch_published(published(b"picture"), [tmp_path / "cache", tmp_path / "copies"], refuse) == path


def test_a_damaged_file_is_downloaded_again(tmp_path):
    (tmp_path / "b-figures-one.jpg").write_bytes(b"pic")
    path = fetch_published(published(b"picture"), [tmp_path], lambda _: b"picture")
    assert path == tmp_path / "b-figures-one.jpg"
    assert path.read_bytes() == b"picture"


def test_a_download_with_another_hash_is_refused_and_not_kept(tmp_path):
    with pytest.raises(ValueError, match="has SHA-256"):
        fetch_published(published(b"picture"), [tmp_path], lambda _: b"other")
    assert list(tmp_path.iterdir()) == []


def test_the_table_of_sources_splits_the_portraits_by_index():
    files = read_sources()
    assert len({file.name for file in files}) == len(files), "two files have one name in the cache"
    held = {file.path for file in files if file.set == "held out"}
    expected = {f"{sex}/512/{index}.jpg" for sex in ("female", "male") for index in range(3, 100, 5)}
    assert held == expected
    assert sum(file.set == "portraits" for file in files) == 160
    assert not [file.path for file in files if "bad things" in file.path]


def test_nobody_who_judges_is_trained_on():
    sources = {file.path: file.set for file in read_sources()}
    people = read_people()
    for person in people:
        if sources.get(person.source) == "held out" or person.source in {file.name for file in HELD_OUT}:
            assert person.use == "judge", person.name
        if sources.get(person.source) == "portraits" or person.source in {file.name for file in TRAINING}:
            assert person.use == "train", person.name
    places = [(person.source, person.cell) for person in people if person.use == "judge" and person.cell]
    trained = {(person.source, person.cell) for person in people if person.use == "train"}
    assert not trained & set(places), "a picture is both trained on and judged with"


def test_every_person_has_a_known_source():
    known = {file.path for file in read_sources()} | {file.name for file in (*TRAINING, *HELD_OUT)}
    assert {person.source for person in read_people()} <= known


def someone(**changes):
    person = Person("a-1", "train", "a.jpg", (1, 2), 200.5, FFHQ_512.round(1), -3.0, "female", "old", "no", "")
    return replace(person, **changes)


def test_people_survive_writing_and_reading():
    written = [someone(), someone(name="b", cell=None, ita=None, sex="", age="", glasses="", use="leave")]
    read = parse_people(format_people(written).splitlines())
    for before, after in zip(written, read, strict=True):
        np.testing.assert_allclose(after.landmarks, before.landmarks, atol=0.051)
        assert replace(after, landmarks=before.landmarks).__dict__ == before.__dict__


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"use": "test"}, "a-1: use is 'test'", id="use"),
        pytest.param({"age": "young"}, "a-1: age is 'young'", id="age"),
        pytest.param({"landmarks": FFHQ_512[:4]}, "are not five points", id="four points"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        parse_people(format_people([someone(**changes)]).splitlines())


def test_a_name_that_occurs_twice_is_refused():
    with pytest.raises(ValueError, match="more than one person is called a-1"):
        parse_people(format_people([someone(), someone()]).splitlines())
    with pytest.raises(ValueError, match=COLUMNS[0]):
        parse_people(["name\tother"])


@pytest.mark.parametrize(
    ("colour", "low", "high", "tone"),
    [
        pytest.param((240, 214, 196), 50, 75, "light", id="light skin"),
        pytest.param((165, 120, 92), -5, 20, "medium", id="medium skin"),
        pytest.param((80, 52, 40), -80, -40, "dark", id="dark skin"),
    ],
)
def test_the_skin_is_measured_on_the_cheeks_alone(colour, low, high, tone):
    crop = np.full((512, 512, 3), (0, 0, 255), np.uint8)
    for cheek in CHEEKS:
        crop[cheek] = colour
    ita = measure_ita(crop)
    assert low < ita < high
    assert name_tone(ita) == tone


def test_a_grey_picture_has_no_tone():
    assert measure_ita(np.full((512, 512, 3), 150, np.uint8)) is None
    assert someone(ita=None).traits["tone"] == ""


def make_traits(counts):
    return [dict(zip(("sex", "age"), kind, strict=True)) for kind, count in counts.items() for _ in range(count)]


def test_raking_reaches_the_shares_of_every_trait():
    traits = make_traits({("f", "old"): 5, ("f", "young"): 40, ("m", "old"): 15, ("m", "young"): 20, ("", "old"): 4})
    targets = {"sex": {"f": 0.5, "m": 0.5}, "age": {"old": 0.4, "young": 0.6}}
    weights = balance.rake(traits, targets, (0.01, 100.0))
    assert weights.mean() == pytest.approx(1)
    for trait, shares in targets.items():
        assert balance.measure_shares(traits, weights, trait) == pytest.approx(shares, abs=1e-4), trait


def test_raking_gives_like_people_like_weights_and_keeps_the_limits():
    traits = make_traits({("f", "old"): 1, ("f", "young"): 99, ("m", "young"): 100})
    weights = balance.rake(traits, {"age": {"old": 0.5, "young": 0.5}}, (0.2, 5.0))
    assert weights[0] == pytest.approx(5)
    assert np.ptp(weights[1:]) == pytest.approx(0, abs=1e-12)
    assert weights.mean() == pytest.approx(1, abs=1e-3)


def test_a_kind_of_which_there_is_nobody_is_an_error():
    with pytest.raises(ValueError, match="nobody has age 'old'"):
        balance.rake([{"age": "young"}], {"age": {"old": 0.5, "young": 0.5}})


def test_the_people_to_train_on_are_balanced():
    traits = [person.traits for person in read_people() if person.use == "train"]
    weights = balance.rake(traits)
    assert weights.max() <= balance.MOST
    assert weights.min() >= balance.LEAST
    for trait, shares in balance.TARGETS.items():
        assert balance.measure_shares(traits, weights, trait) == pytest.approx(shares, abs=0.02), trait


def test_a_picture_that_nobody_names_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="in neither"):
        load.find_picture("unknown.jpg", [tmp_path])
