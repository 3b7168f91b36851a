import base64
import socket

import pytest
from answering import Reply, answering

from lib_facefix.client import transport
from lib_facefix.client.transport import MAX_ATTEMPTS, Transport
from lib_facefix.errors import BadSetting, CannotReach, Refused

SECRET = "s3cret"


@pytest.fixture
def server():
    with answering({"GET /x": {"a": 1}, "POST /x": lambda asked: {"told": asked.body}}) as answers:
        yield answers


@pytest.fixture
def pauses():
    return []


def to(server, pauses=None, **who):
    made = Transport.from_url(server.url, **who)
    return Transport(made.url, made._credentials, 5.0, (pauses if pauses is not None else []).append)


def test_json_goes_there_and_back(server):
    assert to(server).get("/x") == {"a": 1}
    assert to(server).post("/x", {"b": ["ä"]}) == {"told": {"b": ["ä"]}}


@pytest.mark.parametrize(
    ("url", "who", "header"),
    [
        pytest.param("http://{}", {}, None, id="nobody"),
        pytest.param("http://{}", {"token": SECRET}, f"Bearer {SECRET}", id="a token"),
        pytest.param("http://{}", {"user": "me:a:b"}, "Basic " + base64.b64encode(b"me:a:b").decode(), id="a user"),
        pytest.param("http://me:p%40ss@{}", {}, "Basic " + base64.b64encode(b"me:p@ss").decode(), id="in the address"),
    ],
)
def test_who_asks_is_told_in_the_header_that_the_server_reads(server, url, who, header):
    Transport.from_url(url.format(server.url.removeprefix("http://")), **who).get("/x")
    assert server.asked[-1].headers.get("Authorization") == header


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "localhost:7861",
            "ftp://host/",
            "file:///etc/passwd",
            "http://",
            "http://host:99999",
            "http://host/?a=b",
        ),
        *("http://ho st", "http://host\n", "http://user:s3cret@host:port", "http://user:s3cret@[host", "javascript:x"),
    ],
)
def test_what_is_no_address_of_a_server_is_refused_without_its_password(url):
    with pytest.raises(BadSetting, match="invalid server address") as caught:
        Transport.from_url(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ({"token": "a", "user": "b:c"}, "not both"),
        ({"user": "me"}, "name:password"),
        ({"token": "a\r\nX: y"}, "printable ASCII"),
        ({"token": "tökén"}, "ASCII"),
    ],
)
def test_credentials_that_cannot_be_sent_are_refused(who, why):
    with pytest.raises(BadSetting, match=why):
        Transport.from_url("http://host", **who)


def test_credentials_are_never_shown(server):
    server.routes = {"GET /x": Reply(401, {"detail": "no"})}
    asking = Transport.from_url(server.url.replace("http://", f"http://me:{SECRET}@"))
    with pytest.raises(Refused) as caught:
        asking.get("/x")
    assert SECRET not in f"{caught.value}{asking!r}"
    assert asking.url == server.url


def test_the_folder_of_an_address_is_kept(server):
    server.routes["GET /ui/x"] = {"a": 2}
    assert Transport.from_url(server.url + "/ui/").get("/x") == {"a": 2}


def test_no_redirect_is_followed_so_that_nothing_is_told_to_others(server):
    with answering({"GET /x": {"a": 3}}) as other:
        for status in (301, 302, 303, 307, 308):
            server.routes["GET /x"] = Reply(status, None, {"Location": f"http://me:{SECRET}@{other.url[7:]}/x"})
            with pytest.raises(
                Refused, match=f"redirects to {other.url[7:]}/x, and redirects are not followed"
            ) as caught:
                to(server, token=SECRET).get("/x")
            assert SECRET not in str(caught.value)
        assert other.asked == []


def test_a_server_that_is_full_is_asked_again_when_it_says(server, pauses):
    full = Reply(503, {"detail": "10 pictures wait"}, {"Retry-After": "3"})
    server.routes["POST /x"] = [full, Reply(429, None, {"Retry-After": "0"}), {"a": 4}]
    assert to(server, pauses).post("/x", {}) == {"a": 4}
    assert pauses == [3.0, transport.MIN_RETRY_DELAY]


def test_a_server_that_stays_full_is_given_up(server, pauses):
    server.routes["GET /x"] = Reply(
        503, {"detail": "10 pictures wait"}, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}
    )
    with pytest.raises(Refused, match=r"is busy: 10 pictures wait. Try again later") as caught:
        to(server, pauses).get("/x")
    assert caught.value.status == 503
    assert pauses == [transport.MAX_RETRY_DELAY] * (MAX_ATTEMPTS - 1)
    assert len(server.asked) == MAX_ATTEMPTS


FASTAPI = {"detail": [{"loc": ["body", "settings", "fidelity"], "msg": "must lie between 0 and 1", "type": "x"}]}


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        pytest.param(
            Reply(422, FASTAPI),
            "/x rejected the request: settings.fidelity: must lie between 0 and 1",
            id="a bad field",
        ),
        pytest.param(
            Reply(403, {"detail": "no\n server  paths"}), "/x rejected the request: no server paths", id="a sentence"
        ),
        pytest.param(
            Reply(500, {"error": "NansException", "detail": "", "errors": "A tensor with NaNs"}),
            "/x rejected the request: A tensor with NaNs",
            id="as a WebUI says it",
        ),
        pytest.param(
            Reply(400, {"detail": "\x1b]0;owned\x07oh"}),
            "rejected the request:  ]0;owned oh$",
            id="signs of a terminal",
        ),
        pytest.param(Reply(401), "requires authentication; use --token-file or set FACEFIX_TOKEN", id="nobody asks"),
        pytest.param(
            Reply(413, {"detail": "65 MiB"}), "too large for .*: 65 MiB. Send a smaller image", id="too large"
        ),
        pytest.param(Reply(502, raw=b"<html>oh"), "/x rejected the request: HTTP 502 Bad Gateway", id="a page"),
        pytest.param(Reply(400, {"detail": "x" * 9999}), r"x{400}\.\.\.$", id="a novel"),
        pytest.param(Reply(400, ["odd"]), "HTTP 400", id="a list"),
    ],
)
def test_a_refusal_is_told_in_the_server_s_words(server, reply, told):
    server.routes["GET /x"] = reply
    with pytest.raises(Refused, match=told) as caught:
        to(server).get("/x")
    assert caught.value.status == reply.status


def test_a_wrong_token_is_told_as_such(server):
    server.routes["GET /x"] = Reply(401)
    with pytest.raises(Refused, match="does not accept these credentials"):
        to(server, token="t").get("/x")


def test_a_server_that_is_not_there_is_told_in_words():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CannotReach, match=f"cannot reach {url}: .*refused.* Check the address"):
            Transport.from_url(url).get("/x")


def test_a_server_that_says_nothing_is_given_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        asking = Transport.from_url(f"http://127.0.0.1:{silent.getsockname()[1]}", patience=0.2)
        with pytest.raises(CannotReach, match="it does not answer in time"):
            asking.get("/x")


@pytest.mark.parametrize("raw", [b"<html></html>", b"\xff\xfe", b"[" * 100_000])
def test_an_answer_that_is_no_json_is_told_in_words(server, raw):
    server.routes["GET /x"] = Reply(raw=raw)
    with pytest.raises(CannotReach, match="neither a FaceFix server nor a WebUI"):
        to(server).get("/x")


def test_an_answer_without_end_is_cut(server, monkeypatch):
    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", 1 << 20)
    server.routes["GET /x"] = Reply(raw=b'"' + b"x" * (1 << 20) + b'"')
    with pytest.raises(CannotReach, match="larger than 1 MiB"):
        to(server).get("/x")


def test_an_answer_cut_off_is_told_in_words(server):
    server.routes["GET /x"] = Reply(raw=b'{"a"', headers={"Content-Length": "100"})
    with pytest.raises(CannotReach, match="cannot reach"):
        Transport.from_url(server.url, patience=0.3).get("/x")


def test_what_a_server_has_is_known_by_its_404(server):
    assert to(server).has("/x")
    assert not to(server).has("/y")
    server.routes["GET /z"] = Reply(403)
    with pytest.raises(Refused):
        to(server).has("/z")


def test_no_proxy_leads_to_this_machine(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert to(server).get("/x") == {"a": 1}
