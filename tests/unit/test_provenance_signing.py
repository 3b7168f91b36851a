"""Content Credentials (C2PA): never broken ones, and with the extra and a certificate new ones."""

import datetime
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image as Pil
from test_cli import engine, photo, run  # noqa: F401 fixtures

from lib_facefix.errors import BadSetting, MissingPackage
from lib_facefix.pictures import SIGNED, read_picture
from lib_facefix.provenance import Edit, credentials
from lib_facefix.provenance.credentials import KINDS, Signer, hash_models, read_credentials
from lib_facefix.weights import PUBLISHED

pytest.importorskip("c2pa", reason="needs c2pa-python")
pytest.importorskip("cryptography", reason="needs cryptography")
FORMS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF"}
forms = pytest.mark.parametrize("kind", FORMS)


def write_identity(folder, curve="SECP256R1"):
    """Write the certificate of a signer, with that of the authority that issued it, and the signer's key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(text):
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"),
                          x509.NameAttribute(NameOID.COMMON_NAME, text)])  # fmt: skip

    def usage(*names):
        known = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                 "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
        return x509.KeyUsage(**{one: one in names for one in known})

    def issue(subject, key, number, *extensions):
        made = x509.CertificateBuilder(name("Test authority"), name(subject), key.public_key(), number)
        made = made.not_valid_before(datetime.datetime(2025, 1, 1)).not_valid_after(datetime.datetime(2055, 1, 1))
        for extension, critical in extensions:
            made = made.add_extension(extension, critical)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), False)
        return made.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    root = ec.generate_private_key(ec.SECP256R1())
    own = ed25519.Ed25519PrivateKey.generate() if curve == "Ed25519" else ec.generate_private_key(getattr(ec, curve)())
    authority = issue("Test authority", root, 1, (x509.BasicConstraints(True, None), True),
                      (usage("key_cert_sign", "crl_sign"), True))  # fmt: skip
    signer = issue("Test signer", own, 2, (x509.BasicConstraints(False, None), True),
                   (usage("digital_signature"), True),
                   (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False))  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "cert.pem").write_bytes(signer + authority)
    form = serialization.PrivateFormat.PKCS8
    plain = own.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(plain)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return write_identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture
def signed(photo, tmp_path, identity):  # noqa: F811
    """Make a signed photo of a kind, as a camera would write it."""

    def make(kind):
        path = tmp_path / f"camera.{kind}"
        file = io.BytesIO()
        with Pil.open(photo) as picture:
            picture.save(file, FORMS[kind], quality=95)
        plain = file.getvalue()
        path.write_bytes(Signer(*identity).seal(FORMS[kind], plain, [], ("raw", FORMS[kind], plain)))
        assert state(path)["state"] == "Valid"
        return path

    return make


def c2pa_json(path):
    import c2pa

    with c2pa.Reader("image/jpeg", io.BytesIO(path.read_bytes())) as reader:
        return reader.json()


def state(path):
    return read_credentials(path.read_bytes(), FORMS[path.suffix[1:]])


@forms
def test_without_a_certificate_the_manifest_is_dropped_and_said(signed, kind, capsys):
    path = signed(kind)
    assert SIGNED in read_picture(path).left_out
    assert run("fix", path, "--in-place") == 0
    assert state(path) is None
    assert SIGNED in capsys.readouterr().out


@forms
def test_an_unchanged_file_keeps_its_manifest_byte_for_byte(signed, kind, identity, tmp_path):
    path = signed(kind)
    before = path.read_bytes()
    sign = ("--sign", identity[0], "--sign-key", identity[1])
    assert run("fix", path, "-o", tmp_path / f"same.{kind}", "--method", "leave", *sign) == 0
    assert (tmp_path / f"same.{kind}").read_bytes() == before


@forms
def test_a_signed_result_is_valid_and_names_its_parent(signed, kind, identity, tmp_path, capsys):
    path, result = signed(kind), tmp_path / f"new.{kind}"
    assert run("fix", path, "-o", result, "--sign", identity[0], "--sign-key", identity[1]) == 0
    told = capsys.readouterr().out
    assert SIGNED not in told
    assert "parent of the new ones" in told

    found = state(result)
    assert (found["state"], found["codes"]) == ("Valid", ["signingCredential.untrusted"])
    assert found["ingredients"] == [{"title": path.name, "relationship": "parentOf", "signed": True}]
    opened, edited = found["actions"]
    assert (opened["action"], edited["action"]) == ("c2pa.opened", "c2pa.edited")
    assert edited["digitalSourceType"].endswith("/algorithmicallyEnhanced")
    assert edited["parameters"]["org.facefix.model"] == "lite"
    assert len(edited["parameters"]["org.facefix.sha256"]) == 64
    shapes = [change["region"][0]["shape"] for change in edited["changes"]]
    assert [(shape["origin"], shape["width"]) for shape in shapes] == [
        ({"x": 30.0, "y": 30.0}, 60.0),
        ({"x": 160.0, "y": 30.0}, 80.0),
    ]


@forms
def test_a_byte_flipped_afterwards_is_found(signed, kind, identity, tmp_path, capsys):
    path, result = signed(kind), tmp_path / f"new.{kind}"
    run("fix", path, "-o", result, "--sign", identity[0], "--sign-key", identity[1])
    content = bytearray(result.read_bytes())
    content[{"jpg": -500, "png": -500, "webp": 500, "tif": 2000}[kind]] ^= 1  # among the pixels
    result.write_bytes(content)
    assert state(result)["state"] == "Invalid"
    capsys.readouterr()
    if kind != "jpg":  # the pixels of which cannot be decoded any more
        return
    run("provenance", "show", result)
    assert "not valid: the file was changed" in capsys.readouterr().out


def test_the_record_of_a_signed_file_is_stripped(signed, capsys):
    for kind in FORMS:
        path = signed(kind)
        assert run("provenance", "strip", path, "--in-place") == 0
        assert state(path) is None
        assert SIGNED not in read_picture(path).left_out
        with Pil.open(path) as picture:
            picture.load()


def test_a_plain_photo_and_another_format_are_signed_too(photo, identity, tmp_path):  # noqa: F811
    sign = ("--sign", identity[0], "--sign-key", identity[1])
    assert run("fix", photo, "-o", tmp_path / "new.jpg", *sign) == 0
    assert state(tmp_path / "new.jpg")["ingredients"][0]["signed"] is False
    assert run("fix", photo, "-o", tmp_path / "plain.jpg", "--method", "leave", *sign) == 0
    assert [one["action"] for one in state(tmp_path / "plain.jpg")["actions"]] == ["c2pa.opened", "c2pa.transcoded"]


def test_a_parent_that_was_tampered_with_is_named_as_such(signed, identity, tmp_path):
    path = signed("jpg")
    content = bytearray(path.read_bytes())
    content[-500] ^= 1
    path.write_bytes(content)
    assert state(path)["state"] == "Invalid"
    run("fix", path, "-o", tmp_path / "new.jpg", "--sign", identity[0], "--sign-key", identity[1])
    assert state(tmp_path / "new.jpg")["state"] == "Valid"
    text = json.dumps(json.loads(c2pa_json(tmp_path / "new.jpg")))
    assert "assertion.dataHash.mismatch" in text  # of the ingredient


@pytest.mark.parametrize("curve", ["SECP384R1", "SECP521R1", "Ed25519"])
def test_other_kinds_of_keys_sign(curve, tmp_path):
    Signer(*write_identity(tmp_path, curve))  # which signs a tiny image


def test_a_wrong_certificate_or_key_is_said_before_any_work(photo, identity, tmp_path, capsys):  # noqa: F811
    other = write_identity(tmp_path / "other")
    secret = [line for line in other[1].read_text().splitlines() if "-" not in line]
    (tmp_path / "no.pem").write_text("nothing")
    locked = tmp_path / "locked.pem"
    locked.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n")
    cases = {
        (identity[0], other[1]): "cannot sign",
        (identity[0], tmp_path / "none.pem"): "cannot be read",
        (identity[0], tmp_path / "no.pem"): "not a PEM file with a private key",
        (identity[1], identity[1]): "not a PEM file with a certificate",
        (identity[0], locked): "is encrypted",
    }
    for (certificate, key), sentence in cases.items():
        assert run("fix", photo, "--sign", certificate, "--sign-key", key) == 2
        told = capsys.readouterr().err
        assert sentence in told
        assert not any(line in told for line in secret)
    assert run("fix", photo, "--sign", identity[0]) == 2
    assert "--sign needs --sign-key" in capsys.readouterr().err
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]


def test_a_kind_that_cannot_be_signed_is_refused(photo, identity, tmp_path, capsys):  # noqa: F811
    assert run("fix", photo, "-o", tmp_path / "new.bmp", "--sign", identity[0], "--sign-key", identity[1]) == 1
    assert "BMP files cannot be signed" in capsys.readouterr().err
    assert not (tmp_path / "new.bmp").exists()


def test_without_the_package_it_is_said(monkeypatch, identity, signed, capsys):
    path = signed("jpg")
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(MissingPackage, match=r"pip install 'facefix\[c2pa\]'"):
        Signer(*identity)
    assert run("provenance", "show", path, "--json") == 0
    [shown] = json.loads(capsys.readouterr().out)["files"]
    assert shown["credentials"]["state"] == "Unread"


def test_the_package_is_imported_only_to_sign_or_show():
    code = "import sys, lib_facefix.cli.fix_images, lib_facefix.provenance.files; print('c2pa' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_signing_and_reading_open_no_socket(identity, tmp_path):
    """A photo whose XMP names a manifest on a server, which the package would fetch by default."""
    terms = '<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" '
    terms += 'dcterms:provenance="http://127.0.0.1:9/a.c2pa"/>'
    rdf = f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{terms}</rdf:RDF>'
    photo = tmp_path / "remote.jpg"  # noqa: F811
    Pil.new("RGB", (64, 64)).save(photo, xmp=rdf.encode())
    code = f"""
from pathlib import Path
from lib_facefix.provenance.credentials import Signer, read_credentials
content = Path({str(photo)!r}).read_bytes()
assert read_credentials(content, "JPEG")["state"] == "Remote"
signer = Signer(Path({str(identity[0])!r}), Path({str(identity[1])!r}))
made = signer.seal("JPEG", content, [], ("remote.jpg", "JPEG", content))
"""
    log = tmp_path / "calls"
    command = ["strace", "-f", "-e", "trace=socket,connect", "-o", str(log), sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    calls = [line for line in log.read_text().splitlines() if "socket(" in line or "connect(" in line]
    assert calls == []
    assert done.returncode == 0, done.stderr


def test_every_signed_kind_is_one_that_the_package_knows():
    import c2pa

    assert set(KINDS.values()) <= set(c2pa.Builder.get_supported_mime_types())


def test_a_key_of_another_sort_is_refused(tmp_path):
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(BadSetting, match="not a private key that C2PA knows"):
        credentials._find_algorithm(Path(key), key.read_bytes())


def test_the_hash_is_that_of_the_file_that_ran():
    edits = [Edit("restore", "gfpgan"), Edit("restore", "gpen-512"), Edit("restore", "mine.onnx")]
    gpen = PUBLISHED["gpen_bfr_512.onnx"].sha256
    engines = ["PyTorch 2.13.0 fp32", "ONNX Runtime 1.32.0 fp32, gpen_bfr_512.onnx"]
    assert hash_models(edits, engines) == {"gfpgan": PUBLISHED["GFPGANv1.4.pth"].sha256, "gpen-512": gpen}
    engines[0] = "ONNX Runtime 1.32.0 fp32, gfpgan_1.4.onnx"
    assert hash_models(edits, engines) == {"gfpgan": PUBLISHED["gfpgan_1.4.onnx"].sha256, "gpen-512": gpen}
