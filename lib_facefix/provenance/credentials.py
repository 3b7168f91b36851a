"""Content Credentials (C2PA): reads and signs them. The only file that knows the package c2pa.

The package may fetch manifests, revocation lists, and time stamps. All of this is switched off: signing and reading
open no socket, so a signature has no trusted time, and a manifest that is kept elsewhere is not read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from .. import __version__
from ..errors import BadSetting, CannotWrite, MissingPackage, briefly
from ..registry import RESTORERS, UPSCALERS, ModelInfo
from ..weights import PUBLISHED, asset
from .mark import PRODUCT, TYPES, Edit, describe_edits

PACKAGE = "c2pa"
INSTALL = "Install it with: pip install 'facefix[c2pa]'"
KINDS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIF": "image/heic",
}
"""Kinds of file that can be signed, with their media types."""
SETTINGS = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": []},
    "builder": {"thumbnail": {"enabled": False}},  # it would show the old face
}
ACTIONS = "c2pa.actions.v2"
PARAMETERS = "org.facefix."
"""Start of the names of our parameters of an action."""
_ALGORITHMS = {
    bytes.fromhex("06082a8648ce3d030107"): "es256",
    bytes.fromhex("06052b81040022"): "es384",
    bytes.fromhex("06052b81040023"): "es512",
    bytes.fromhex("06092a864886f70d010101"): "ps256",
    bytes.fromhex("06032b6570"): "ed25519",
}
"""Signature algorithms by the identifier (DER) of their keys."""


class Signer:
    """Signs images with a certificate. The key stays in this object and is never shown, logged, or written."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """certificate: a PEM file, the signer's own first, then those of its issuers. key: PEM file of its private key.

        Raises `MissingPackage`, and `BadSetting` if they cannot sign, which is tried once with a tiny image.
        """
        self._c2pa = _import()
        chain, secret = _read_pem(certificate, "CERTIFICATE"), _read_pem(key, "PRIVATE KEY")
        algorithm = _find_algorithm(key, secret)
        self._context = self._c2pa.Context.from_dict(SETTINGS)
        trial = io.BytesIO()
        Pillow.new("RGB", (8, 8)).save(trial, "PNG")
        try:
            self._signer = self._c2pa.Signer.from_info(self._c2pa.C2paSignerInfo(algorithm, chain, secret, None))
            self._sign("PNG", trial.getvalue(), {}, ("trial.png", "PNG", trial.getvalue()))  # which verifies it, too
        except self._c2pa.C2paError as error:
            raise BadSetting(f"{certificate} and {key} cannot sign: {briefly(error)}") from None

    def check(self, kind: str) -> None:
        """Raise `BadSetting` if files of Pillow's `kind` cannot be signed."""
        if kind not in KINDS:
            raise BadSetting(f"{kind} files cannot be signed. Choose one of {', '.join(KINDS)}, or remove --sign.")

    def seal(
        self,
        kind: str,
        made: bytes,
        edits: Sequence[Edit],
        parent: tuple[str, str, bytes],
        hashes: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the file `made` with new credentials.

        edits: what was done; empty for a change of the format alone. parent: name, kind, and content of the file that
        it was made of, whose own credentials become part of the new ones. hashes: SHA-256 of models by name. Raises
        `CannotWrite`.
        """
        actions = _list_actions(edits, hashes or {}) or [{"action": "c2pa.transcoded"}]
        try:
            return self._sign(kind, made, {"assertions": [{"label": ACTIONS, "data": {"actions": actions}}]}, parent)
        except self._c2pa.C2paError as error:
            raise CannotWrite(
                f"it cannot be signed ({briefly(error)}). Remove --sign, or choose another file."
            ) from None

    def _sign(self, kind: str, made: bytes, claims: dict[str, Any], parent: tuple[str, str, bytes]) -> bytes:
        name, old_kind, content = parent
        manifest = {"title": name, "claim_generator_info": [{"name": PRODUCT, "version": __version__}], **claims}
        facts, signed = {"title": name, "relationship": "parentOf"}, io.BytesIO()
        with self._c2pa.Builder(json.dumps(manifest), context=self._context) as builder:
            builder.set_intent(self._c2pa.C2paBuilderIntent.EDIT)  # adds c2pa.opened
            builder.add_ingredient(facts, KINDS.get(old_kind, "application/octet-stream"), io.BytesIO(content))
            builder.sign(self._signer, KINDS[kind], io.BytesIO(made), signed)
        return signed.getvalue()


def read_credentials(content: bytes, kind: str) -> dict[str, Any] | None:
    """Return what the credentials of a file say, and whether they are valid; None without any.

    Keys: state ("Valid", "Trusted", "Invalid", or "Remote" for those on a server, which is not asked), codes (what was
    found amiss), generator, signed_by, actions, and ingredients. Raises `MissingPackage`, and `BadSetting` for a kind
    of file that is not read.
    """
    c2pa = _import()
    if kind not in KINDS:
        raise BadSetting(f"Content Credentials of {kind} files are not read. They are in: {', '.join(KINDS)}.")
    context = c2pa.Context.from_dict(SETTINGS)
    try:
        with c2pa.Reader(KINDS[kind], io.BytesIO(content), context=context) as reader:
            found, state = json.loads(reader.json()), reader.get_validation_state()
    except c2pa.C2paError.ManifestNotFound:
        return None
    except c2pa.C2paError as error:
        state = "Remote" if str(error).startswith("Remote") else "Invalid"
        return {"state": state, "codes": [briefly(error)], "generator": "", "signed_by": "", "actions": [],
                "ingredients": []}  # fmt: skip
    active = found.get("manifests", {}).get(found.get("active_manifest"), {})
    by = active.get("signature_info", {})
    return {
        "state": str(state),
        "codes": [entry.get("code", "") for entry in found.get("validation_status", [])],
        "generator": ", ".join(
            f"{one.get('name', '')} {one.get('version', '')}".strip() for one in active.get("claim_generator_info", [])
        ),
        "signed_by": ", ".join(filter(None, (by.get("common_name"), by.get("issuer")))),
        "actions": [
            action
            for assertion in active.get("assertions", [])
            if assertion.get("label", "").startswith("c2pa.actions")
            for action in assertion.get("data", {}).get("actions", [])
        ],
        "ingredients": [
            {
                "title": one.get("title", ""),
                "relationship": one.get("relationship", ""),
                "signed": one.get("active_manifest") is not None,
            }
            for one in active.get("ingredients", [])
        ],
    }


def hash_models(edits: Sequence[Edit], engines: Sequence[str] = ()) -> dict[str, str]:
    """Return the SHA-256 of the models in `edits` by name, as they are bundled or published; not of other files.

    engines: those of the faces, as reported. Of a model with several files, they name the one that ran if it is not
    the first.
    """
    known: dict[str, ModelInfo[Any]] = {info.name: info for info in (*UPSCALERS, *RESTORERS)}
    found = {}
    for name in {edit.model for edit in edits} & set(known):
        info = known[name]
        if info.weights_name:
            named = (
                one.weights_name for one in info.variants if any(ran.endswith(one.weights_name) for ran in engines)
            )
            found[name] = PUBLISHED[next(named, info.weights_name)].sha256
        elif info.assets:
            found[name] = hashlib.sha256(asset(info.assets[0]).read_bytes()).hexdigest()
    return found


def _import() -> Any:
    try:
        import c2pa
    except ModuleNotFoundError as error:
        raise MissingPackage("Content Credentials", PACKAGE, INSTALL) from error
    return c2pa


def _list_actions(edits: Sequence[Edit], hashes: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return an action for each model, with a region for each face."""
    groups: dict[tuple[str, str], list[Edit]] = {}
    for edit in edits:
        groups.setdefault((edit.action, edit.model), []).append(edit)
    actions = []
    for (method, model), done in groups.items():
        parameters = {"method": method, "model": model, "sha256": hashes.get(model, "")}
        action: dict[str, Any] = {
            "action": "c2pa.resized" if method == "enlarge" else "c2pa.edited",
            "digitalSourceType": TYPES + done[0].source_type,
            "softwareAgent": {"name": PRODUCT, "version": __version__},
            "description": describe_edits(done),
            "parameters": {PARAMETERS + name: value for name, value in parameters.items() if value},
        }
        if changes := [_region(edit) for edit in done if edit.box]:
            action["changes"] = changes
        actions.append(action)
    return actions


def _region(edit: Edit) -> dict[str, Any]:
    left, top, right, bottom = edit.box or (0, 0, 0, 0)
    shape: dict[str, Any] = {"type": "rectangle", "unit": "pixel", "origin": {"x": float(left), "y": float(top)}}
    shape |= {"width": float(right - left), "height": float(bottom - top)}
    return {"description": f"face {edit.face}", "region": [{"type": "spatial", "shape": shape}]}


def _read_pem(path: Path, kind: str) -> bytes:
    """Return a PEM file; raises `BadSetting`, without its content, if it is not of this kind."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadSetting(f"{path} cannot be read: {error.strerror or error}") from error
    if b"ENCRYPTED" in content and kind == "PRIVATE KEY":
        raise BadSetting(f"{path} is encrypted. Decrypt it first, for example with `openssl pkey -in KEY -out NEW`")
    if f"{kind}-----".encode() not in content:
        raise BadSetting(f"{path} is not a PEM file with a {kind.lower()}")
    return content


def _find_algorithm(path: Path, key: bytes) -> str:
    """Return C2PA's name of the algorithm of a private key."""
    lines = [line.strip() for line in key.splitlines() if line.strip() and b":" not in line]
    starts = [place for place, line in enumerate(lines) if b"PRIVATE KEY-----" in line]
    body = b"".join(lines[starts[0] + 1 : starts[1]]) if len(starts) > 1 else b""
    try:
        der = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        der = b""
    if b"RSA PRIVATE KEY" in key:
        return "ps256"
    names = [name for identifier, name in _ALGORITHMS.items() if identifier in der]
    if not names:
        raise BadSetting(f"{path} is not a private key that C2PA knows: EC (P-256, P-384, P-521), RSA, or Ed25519")
    return names[0]
