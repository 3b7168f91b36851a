"""The largest memory of a process of its own, as Linux counts it.

`getrusage` counts from the fork on, so a process that a large one has started would begin with the memory of that one.
"""

from pathlib import Path

import pytest

STATUS = Path("/proc/self/status")
PEAK = f"""int(open({str(STATUS)!r}).read().partition("VmHWM:")[2].split()[0]) * 1024"""
"""Python expression of the bytes, to be put into the code of the process."""
needs_linux = pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells a process its own largest memory")
