"""Events of a WebUI's page, without a browser: what is pressed, and what changes on it."""

import io
import json
import urllib.request
from pathlib import Path


class Page:
    """The page as it is when somebody opens it. Works with gradio 3 and 4."""

    def __init__(self, webui):
        self._webui = webui
        self._config = webui.get("/config")
        self._parts = {part["id"]: part for part in self._config["components"]}
        self._new = not self._config["version"].startswith("3")

    def does(self, name, event, **values):
        """Let an event happen to the component with this id in the page; return what changes, by such ids.

        values: those of other components, by their ids; all others are as on a new page.
        """
        index, found = self._find(self._number(name), event)
        data = [self._value(number, values) for number in found["inputs"]]
        answer = self._webui.post("/run/predict", {"data": data, "fn_index": index, "session_hash": "tests"})
        changed = zip(found["outputs"], answer["data"], strict=True)
        return {self._name(number): _read(update) for number, update in changed}

    def image(self, picture):
        """Return a PIL picture as a component for images sends it."""
        if not self._new:
            return _data_url(picture)
        return {"path": self._upload(picture), "meta": {"_type": "gradio.FileData"}}

    def gallery(self, *given):
        """Return PIL pictures as a gallery sends them."""
        if not self._new:
            return [[_data_url(picture), None] for picture in given]
        return [{"image": self.image(picture), "caption": None} for picture in given]

    def _number(self, name):
        return next(number for number, part in self._parts.items() if part["props"].get("elem_id") == name)

    def _name(self, number):
        return self._parts[number]["props"].get("elem_id")

    def _value(self, number, values):
        name = self._name(number)
        return values[name] if name in values else self._parts[number]["props"].get("value")

    def _find(self, number, event):
        for index, one in enumerate(self._config["dependencies"]):
            targets = one["targets"]
            known = [number, event] in targets or (number in targets and one.get("trigger") == event)
            if known and one["backend_fn"]:
                return one.get("id", index), one
        raise LookupError(f"nothing happens at the {event} of component {number}")

    def _upload(self, picture):
        border, file = "facefix-tests", io.BytesIO()
        picture.save(file, "PNG")
        head = f'--{border}\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'.encode()
        body = head + file.getvalue() + f"\r\n--{border}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={border}"}
        asked = urllib.request.Request(f"http://127.0.0.1:{self._webui.port}/upload", body, headers)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(asked, timeout=60) as answer:
            [path] = json.loads(answer.read())
        assert Path(path).is_file()
        return path


def _data_url(picture):
    from driving import packed

    return f"data:image/png;base64,{packed(picture)}"


def _read(update):
    return update.get("value") if isinstance(update, dict) and update.get("__type__") == "update" else update
