"""What is sent to the API, and how its answers are read."""

import base64
import io
import time

from lib_facefix.server.routes import PREFIX

PATIENCE = 120
"""Seconds that a job may take on a machine that has other work."""


def packed(picture, kind="PNG", **how):
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()


def coded(sent):
    return base64.b64encode(sent).decode()


def sent(photo, **more):
    return {"image": coded(photo), **more}


def where(answer, status=422):
    """Return the places that an answer complains of."""
    assert answer.status_code == status, answer.text
    return {".".join(one["loc"]): one["msg"] for one in answer.json()["detail"]}


def ended(client, job):
    """Wait for a job; return its last state."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        state = client.get(f"{PREFIX}/jobs/{job}").json()
        if state["state"] not in ("waiting", "running"):
            return state
        time.sleep(0.05)
    raise AssertionError(state)
