"""Reads FaceFix's entries in an infotext by their description in the documentation, without the library."""

import json
import re

ENTRY = re.compile(r'(?:^|, |\n)(FaceFix[\w ]*): ("(?:\\.|[^"\\])*"(?=,|$)|[^,\n]*)')
TEXTS = {"prompt", "negative_prompt", "faces", "detector", "restorer", "mask", "person", "checkpoint"}
DONE = {
    "restored": ("restore", None),
    "re-diffused": ("re-diffuse", None),
    "skipped": ("leave", None),
    "restoring failed": ("restore", "failed"),
    "re-diffusing failed": ("re-diffuse", "failed"),
    "not restored": ("restore", "left"),
    "not re-diffused": ("re-diffuse", "left"),
}
GUARDED = {"changed less to keep the identity": "backed off", "not changed to keep the identity": "left"}


def entries(infotext):
    """Return the entries by name, without "FaceFix " and quotes."""
    found = {}
    for name, text in ENTRY.findall(infotext):
        found[name.removeprefix("FaceFix ")] = json.loads(text) if text.startswith('"') else text
    return found


def record(infotext):
    """Return "passes", each with its changed settings, and "faces", a list for each finished run; None: no entry."""
    told = entries(infotext)
    if told.pop("format", None) is None:
        return None
    passes = [{} for _ in range(int(told.pop("passes", 1)))]
    runs, own = {}, {}
    for name, text in told.items():
        number, name = re.fullmatch(r"(?:pass (\d+) )?(.*)", name).groups()
        place, face, more = re.fullmatch(r"(?:class (\d+) )?(?:face (\d+) ?)?(.*)", name).groups()
        number = int(number or 1)
        run = number, int(place or 0)
        if name.endswith("result"):
            runs[run] = {}
        elif face is None:
            if name not in ("failed", "said"):
                key = name.replace(" ", "_")
                passes[number - 1][key] = text.removeprefix("=") if key in TEXTS else value(text)
        elif more == "settings":
            own[face] = text
        elif more:
            runs[run][int(face)][more.replace(" ", "_")] = text.removeprefix("=")
        else:
            runs.setdefault(run, {})[int(face)] = read_face(int(face), text, passes[number - 1])
    faces = [list(runs[run].values()) for run in sorted(runs)]
    return {"passes": passes, "faces": faces, **({"overrides": own} if own else {})}


def value(text):
    try:
        return {"True": True, "False": False}[text] if text in ("True", "False") else json.loads(text)
    except ValueError:
        return text


def read_face(number, text, unit):
    done, box, *parts = text.split("; ")
    done, _, restorer = done.partition(" with ")
    action, verdict = DONE[done]
    face = {"n": number, "box": [int(edge) for edge in box.removeprefix("box ").split()], "do": action}
    if restorer:
        face["restorer"] = restorer
    if action == "re-diffuse":
        face["strength"] = unit.get("denoising_strength", 0.4)
    while parts:
        if found := re.fullmatch(r"(seed|denoising|fidelity) ([0-9.e+-]+)", parts[0]):
            face[{"denoising": "strength"}.get(found[1], found[1])] = json.loads(found[2])
        elif found := re.fullmatch(r"(prompt|negative prompt) as face (\d+)", parts[0]):
            face[found[1].replace(" ", "_")] = int(found[2])
        elif found := re.fullmatch(r"no (prompt|negative prompt)", parts[0]):
            face[found[1].replace(" ", "_")] = ""
        elif found := re.fullmatch(r"(.*identity[ \w]*?)(?: ([\d.]+)/([\d.]+))?(?: \((.*)\))?", parts[0]):
            face["identity"] = found[2] and float(found[2])
            face |= {"limit": float(found[3])} if found[3] else {}
            guard = GUARDED.get(found[1], found[1].removeprefix("identity "))
            face |= {"guard": guard} if guard != "kept" else {}
            face |= {"how": found[4]} if found[4] else {}
        else:
            break
        parts = parts[1:]
    if verdict:
        face["verdict"] = verdict
    if parts:
        face["error" if verdict == "failed" else "why"] = "; ".join(parts)
    return face


def without_record(infotext):
    """Return the infotext without FaceFix's entries."""
    return re.sub(r', FaceFix[\w ]*: ("(?:[^"\\]|\\.)*"|[^,\n]*)', "", infotext)
