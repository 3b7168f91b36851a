"""`facefix serve` whose built-in restorer fixes one face, and waits before each further one until a file is there.

The first argument is the file; the others are flags of `facefix serve`.
"""

import sys
import time
from pathlib import Path

from lib_facefix.cli.__main__ import main
from lib_facefix.fixers.lite import Lite

fix = Lite.fix


def fix_past_the_gate(self, crops, jobs):
    """Yield what the restorer yields, the first at once."""
    for place, (crop, job) in enumerate(zip(crops, jobs, strict=True)):
        while place and not gate.exists():
            time.sleep(0.01)
        yield from fix(self, [crop], [job])


if __name__ == "__main__":
    gate, Lite.fix = Path(sys.argv[1]), fix_past_the_gate
    sys.exit(main(["serve", *sys.argv[2:]]))
