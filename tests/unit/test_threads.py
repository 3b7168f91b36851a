import cv2
import pytest

from lib_facefix.pipeline.threads import one_thread


@pytest.fixture(autouse=True)
def two_threads():
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    yield
    cv2.setNumThreads(before)


def test_opencv_works_on_one_thread_inside_and_as_before_outside():
    with one_thread():
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == 2


def test_blocks_that_overlap_put_back_what_the_first_one_found():
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert cv2.getNumThreads() == 1
    second.__exit__(None, None, None)
    assert cv2.getNumThreads() == 2


def test_a_failure_inside_puts_the_number_back():
    with pytest.raises(ValueError, match="no"), one_thread():
        raise ValueError("no")
    assert cv2.getNumThreads() == 2
