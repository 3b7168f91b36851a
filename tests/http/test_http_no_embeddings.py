"""No embedding of a face leaves the memory: not into files, logs, or answers, in no encoding."""

import base64
import json
import logging
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sending import coded, sent

from lib_facefix.analysis.embedding import Embedder
from lib_facefix.cli.__main__ import main
from lib_facefix.server.routes import PREFIX

DATA = Path(__file__).parents[1] / "data"
NUMBER = re.compile(rb"-?\d+\.\d+(?:[eE][+-]?\d+)?")
RUN = 4
"""Number of successive components that are searched for."""
STARTS = (0, 61, 124)
"""Components at which the search begins: the first, some in the middle, the last."""


def list_byte_patterns(vector):
    """Yield the bytes of components in all float formats, plainly, as base64 at every alignment, and as hex."""
    for kind in ("<f4", ">f4", "<f8", ">f8", "<f2"):
        for start in STARTS:
            raw = vector[start : start + RUN].astype(kind).tobytes()
            yield raw
            yield raw.hex().encode()
            for shift in range(3):  # the ends depend on the bytes beside them
                code = base64.b64encode(bytes(shift) + raw)
                yield code[4 if shift else 0 : len(raw) // 3 * 4]
                yield code[4 if shift else 0 : len(raw) // 3 * 4].translate(bytes.maketrans(b"+/", b"-_"))


def shows_numbers(content, vector, digits=3):
    """Return whether successive components are written as decimal numbers that agree to `digits` digits."""
    numbers = np.array([float(found) for found in NUMBER.findall(content)])
    if len(numbers) < RUN:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(numbers, RUN)
    return any((np.abs(windows - vector[at : at + RUN]) < 0.6 * 10**-digits).all(1).any() for at in STARTS)


def find_leaks(contents, vectors):
    """Return the names of all contents that hold one of the vectors, scaled to length 1 or not."""
    spelled = [one for vector in vectors for one in (vector, vector / np.linalg.norm(vector))]
    patterns = {pattern for vector in spelled for pattern in list_byte_patterns(vector)}
    return [
        name
        for name, content in contents.items()
        if any(one in content for one in patterns) or any(shows_numbers(content, vector) for vector in spelled)
    ]


def list_vectors(value):
    """Yield all lists of 128 numbers in JSON data."""
    if isinstance(value, dict | list):
        if isinstance(value, list) and len(value) == 128 and all(isinstance(one, int | float) for one in value):
            yield value
        for one in value.values() if isinstance(value, dict) else value:
            yield from list_vectors(one)


@pytest.fixture
def embeddings(monkeypatch):
    """Collect every embedding that is computed."""
    real, made = Embedder.embed_chip, []

    def embed(self, chip):
        made.append(real(self, chip))
        return made[-1]

    monkeypatch.setattr(Embedder, "embed_chip", embed)
    return made


@pytest.fixture
def place(tmp_path, monkeypatch, caplog):
    """A folder with all that is written: home, cache, temporary files, results. Logs are kept at DEBUG."""
    for name in ("home", "cache", "tmp", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path / "work")
    caplog.set_level(logging.DEBUG)
    with Image.open(DATA / "astronaut.jpg") as photo:
        photo.convert("RGB").resize((256, 256)).save("photo.jpg", quality=90)
        photo.convert("RGB").resize((300, 300)).save("other.png")
    return tmp_path


def read_files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_no_command_writes_prints_or_logs_an_embedding(place, embeddings, capfdbinary, caplog):
    guarded = ["fix", "photo.jpg", "--method", "restore", "--guard"]
    person = ["--person", "other.png", "--person-distance", "0.9"]
    codes = [
        main(["fix", "photo.jpg", "-o", "out.png", "--method", "restore", "--report", "report.json", "-v", *person]),
        main(["plan", "photo.jpg", "-o", "plan.json", *person]),
        main(["fix", "--plan", "plan.json", "photo.jpg", "-o", "planned.jpg"]),
        main([*guarded, "strict", "-o", "strict.png", "-v"]),
        main([*guarded, "report", "-o", "reported.png", "--report", "guard.json"]),
        main(["detect", "photo.jpg"]),
        main(["compare", "photo.jpg", "other.png"]),
        main(["compare", "photo.jpg", "other.png", "--json"]),
    ]
    printed = capfdbinary.readouterr()
    contents = {**read_files(place), "stdout": printed.out, "stderr": printed.err, "log": caplog.text.encode()}

    assert codes == [0] * 8
    assert len(embeddings) >= 20  # of photo and person for fix, plan and comparisons; 3 for each guarded face
    assert json.loads(contents["work/plan.json"])["pictures"][0]["faces"][0]["distance"] < 0.5
    assert {"work/out.png", "work/report.json", "work/planned.jpg"} <= set(contents)
    assert find_leaks(contents, embeddings) == []
    documents = [json.loads(contents[f"work/{name}.json"]) for name in ("plan", "report", "guard")]
    assert documents[2]["pictures"][0]["faces"][0]["identity"]["verdict"] == "kept"
    assert list(list_vectors(documents)) == []


def test_no_answer_of_the_server_holds_an_embedding(place, embeddings, client, caplog):
    photo, reference = Path("photo.jpg").read_bytes(), coded(Path("other.png").read_bytes())
    settings = {"method": "restore", "person_within": 0.9}
    plan = client.post(f"{PREFIX}/plan", json=sent(photo, settings=settings, reference=reference))
    answers = {
        "plan": plan,
        "replan": client.post(f"{PREFIX}/replan", json={"plan": plan.json(), "settings": settings, "compared": True}),
        "fix": client.post(f"{PREFIX}/fix", json=sent(photo, plan=plan.json())),
        "detect": client.post(f"{PREFIX}/detect", json=sent(photo)),
        "layers": client.post(f"{PREFIX}/layers", json=sent(photo, plan=plan.json())),
    }
    contents = {**read_files(place), "log": caplog.text.encode()}
    for name, answer in answers.items():
        assert answer.status_code == 200, answer.text
        contents[name] = answer.content
        contents[f"{name}, headers"] = repr(answer.headers).encode()
        assert list(list_vectors(answer.json())) == []
    assert answers["plan"].json()["faces"][0]["distance"] < 0.5
    assert answers["fix"].json()["faces"][0]["identity"]["verdict"] == "kept"
    assert len(embeddings) >= 8
    assert find_leaks(contents, embeddings) == []


VECTOR = np.random.default_rng(5).normal(0, 0.1, 128)
UNIT = VECTOR / np.linalg.norm(VECTOR)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(json.dumps(VECTOR.tolist()).encode(), id="JSON"),
        pytest.param(json.dumps(UNIT.tolist()).encode(), id="JSON, of length 1"),
        pytest.param(repr(VECTOR).encode(), id="a printed array"),
        pytest.param(" ".join(f"{one:.3f}" for one in VECTOR).encode(), id="three digits"),
        pytest.param("\n".join(f"{one:.7e}" for one in VECTOR).encode(), id="exponents"),
        pytest.param(b"head" + VECTOR.astype("<f4").tobytes(), id="float32"),
        pytest.param(b"head" + VECTOR.astype(">f8").tobytes(), id="float64, big end first"),
        pytest.param(VECTOR.astype("<f4").tobytes().hex().encode(), id="hex"),
        *(
            pytest.param(base64.b64encode(bytes(shift) + VECTOR.astype("<f4").tobytes()), id=f"base64 after {shift}")
            for shift in range(3)
        ),
        pytest.param(base64.urlsafe_b64encode(VECTOR.tobytes()), id="base64 for URLs"),
    ],
)
def test_an_embedding_is_found_in_every_encoding(content):
    assert find_leaks({"it": content}, [VECTOR]) == ["it"]
    assert find_leaks({"it": content}, [VECTOR[::-1]]) == []


def test_a_list_of_128_numbers_is_found():
    assert list(list_vectors({"a": [{"b": VECTOR.tolist()}, [1] * 127]})) == [VECTOR.tolist()]
