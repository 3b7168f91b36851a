"""`facefix serve` as a process, and clients of it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Served:
    """A running server."""

    def __init__(self, *flags, **variables):
        command = [sys.executable, "-m", "lib_facefix.cli", "serve", "--port", "0", *flags]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        environ |= {"PYTHONUNBUFFERED": "1", **variables}
        self.process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        told = self.process.stdout.readline()
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", told)[1])

    def ask(self, method, path, body=None, headers=None):
        """Return status, head and content of an answer."""
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            data = None if body is None else json.dumps(body)
            asked.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
            answer = asked.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            asked.close()

    @property
    def peak(self):
        """The most memory it has had, bytes."""
        told = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", told)[1]) << 10

    @property
    def seconds(self):
        """The CPU time it has taken."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self, head):
        """Return a connection over which the beginning of a request was sent."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        made.sendall(head)
        return made

    def stop(self, by=signal.SIGTERM):
        """End it; return after how many seconds it ended, and what it said on stderr."""
        began = time.monotonic()
        self.process.send_signal(by)
        try:
            _, said = self.process.communicate(timeout=30)
        finally:
            self.process.kill()
        return time.monotonic() - began, said


def head_of(path, length, kind="application/json"):
    """Return the head of a POST as bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()
    )
