"""A server on this machine that answers as a test says, and notes what it was asked."""

import contextlib
import http.server
import json
import threading
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    body: object
    headers: dict


@dataclass
class Answers:
    """What a server answers, and what it was asked."""

    routes: dict = field(default_factory=dict)
    """By "METHOD /path": JSON, a function of the `Asked` that gives it, or a list of such, used up one by one."""
    asked: list = field(default_factory=list)
    url: str = ""

    def paths(self):
        return [f"{one.method} {one.path}" for one in self.asked]

    def last(self, path):
        return next(one for one in reversed(self.asked) if one.path == path)


@dataclass
class Reply:
    """An answer that is no plain 200."""

    status: int = 200
    content: object = None
    headers: dict = field(default_factory=dict)
    raw: bytes | None = None
    """Instead of JSON."""


class _Handler(http.server.BaseHTTPRequestHandler):
    def _answer(self):
        answers = self.server.answers
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.command, self.path, json.loads(text) if text else None, dict(self.headers))
        answers.asked.append(asked)
        reply = answers.routes.get(f"{self.command} {self.path}", Reply(404, {"detail": "Not Found"}))
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        reply = reply(asked) if callable(reply) else reply
        reply = reply if isinstance(reply, Reply) else Reply(content=reply)
        body = json.dumps(reply.content).encode() if reply.raw is None else reply.raw
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 so they are called by their base

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """Say nothing when the other side hangs up."""


@contextlib.contextmanager
def answering(routes=None):
    """Serve for the length of a test."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.answers = Answers(dict(routes or {}), url=f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.answers
        finally:
            server.shutdown()
            thread.join()
