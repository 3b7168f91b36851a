"""What a moved setting costs the server: `POST plan`, which is sent the picture, against `POST replan`.

    python -m benchmarks.replanning PHOTO

Medians in milliseconds of whole calls, in one process and without a network, at several sizes of the picture.
"""

from __future__ import annotations

import base64
import io
import statistics
import sys
import time
from typing import Any

from fastapi.testclient import TestClient
from PIL import Image

from lib_facefix.server.app import StandaloneHost, app
from lib_facefix.server.routes import PREFIX

SIDES = (512, 1024, 2048)
"""Longer side of the picture, pixels."""
ROUNDS = 9


def cost(client: TestClient, call: str, subject: dict[str, Any]) -> float:
    """Return the median milliseconds of a call, each with another setting."""
    taken = []
    for number in range(ROUNDS):
        started = time.perf_counter()
        answer = client.post(f"{PREFIX}/{call}", json={**subject, "settings": {"fidelity": number / ROUNDS}})
        taken.append(1000 * (time.perf_counter() - started))
        answer.raise_for_status()
    return statistics.median(taken)


def main(photo: str) -> None:
    """Print a line for each size."""
    client = TestClient(app(StandaloneHost()), base_url="http://localhost")
    with Image.open(photo) as opened:
        picture = opened.convert("RGB")
    for side in SIDES:
        scale = side / max(picture.size)
        file = io.BytesIO()
        picture.resize((round(picture.width * scale), round(picture.height * scale))).save(file, "JPEG", quality=92)
        subject = {"image": base64.b64encode(file.getvalue()).decode()}
        plan = client.post(f"{PREFIX}/plan", json=subject).json()
        before, now = cost(client, "plan", subject), cost(client, "replan", {"plan": plan})
        sys.stdout.write(f"{side} px, {len(plan['faces'])} faces: plan {before:.1f} ms, replan {now:.1f} ms\n")


if __name__ == "__main__":
    main(sys.argv[1])
