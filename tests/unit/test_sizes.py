import pytest

from lib_facefix.errors import BadSetting
from lib_facefix.settings.output_size import MAX_PIXELS, read_upscale


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2", (200, 100)),
        (" 4 ", (400, 200)),
        ("1", (100, 50)),
        ("1.5", (150, 75)),
        ("1.33", (133, 67)),
        ("8", (800, 400)),
        ("1920x1080", (1920, 1080)),
        ("64 X 48", (64, 48)),
        ("30\u00d720", (30, 20)),
    ],
)
def test_an_upscale_is_a_factor_or_a_size(text, size):
    assert read_upscale(text).result_size(100, 50) == size


@pytest.mark.parametrize("text", ["", "  "])
def test_a_blank_upscale_is_none(text):
    assert read_upscale(text) is None


@pytest.mark.parametrize(
    "text",
    ["0", "0.5", "8.1", "9", "-2", "+2", "2x", "x2", "twice", "1e1", "nan", "2,5", "0x100", "640x", "1x2x3", "\u0662"],
)
def test_what_is_no_upscale_is_refused_with_what_would_be_one(text):
    with pytest.raises(BadSetting, match=r'a factor from 1 to 8 such as "2".*"1920x1080"; not'):
        read_upscale(text)


def test_a_result_that_would_be_too_large_is_refused_with_its_size():
    upscale = read_upscale("8")
    assert upscale.result_size(2500, 2500) == (20_000, 20_000)
    with pytest.raises(BadSetting, match=r"to 20008x20000 px the image would have 400 million.*smaller factor"):
        upscale.result_size(2501, 2500)
    with pytest.raises(BadSetting, match="more than 400 million"):
        read_upscale("100000x100000")
    assert MAX_PIXELS == 400_000_000
