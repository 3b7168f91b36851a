"""The server of `facefix serve`: connections with time limits, and a clean end on a signal."""

import asyncio
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .job_queue import JobQueue

HEAD_SECONDS = 10.0
"""Seconds within which a client must begin a request and send its headers."""
READ_SECONDS = 20.0
"""Seconds within which a client must read a part of a response."""
END_SECONDS = 5
"""Seconds within which connections must end when the server stops."""
DRAIN_SECONDS = 4.0
"""Seconds for which the running job may continue once the server stops, by default."""
DRAIN_TICK = 0.05
"""Seconds between two looks at the running job then."""
TICK = 1.0
"""Seconds between two checks of a connection."""


class TimedConnection(H11Protocol):
    """A connection that is closed if its client neither sends nor reads for long."""

    _since = 0.0
    """Time when the client last made progress."""
    _unread = 0
    """Bytes of a response that the client has not read yet."""
    _next_check: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start checking the connection."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._check()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop checking the connection."""
        if self._next_check:
            self._next_check.cancel()
        super().connection_lost(exc)

    def _check(self) -> None:
        unread, now = self.transport.get_write_buffer_size(), self.loop.time()
        asking = self.cycle is None or self.cycle.response_complete
        if unread:
            if unread < self._unread or not self._unread:
                self._since = now
            patience = READ_SECONDS
        else:
            if not asking or self._unread:
                self._since = now
            patience = HEAD_SECONDS
        self._unread = unread
        if now - self._since > patience:
            self.transport.abort()
        else:
            self._next_check = self.loop.call_later(TICK, self._check)


class EndingServer(uvicorn.Server):
    """A server that lets its running job finish, and responds to all waiting clients, before it ends."""

    def __init__(self, config: uvicorn.Config, line: JobQueue, drain: float) -> None:
        super().__init__(config)
        self._line, self._drain = line, drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain the queue, and meanwhile go on responding: with 503 to new work. Then stop the jobs, and the server.

        A second Ctrl-C ends the wait.
        """
        self._line.drain()
        until = asyncio.get_running_loop().time() + self._drain
        while self._line.load.running and not self.force_exit and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(DRAIN_TICK)
        self._line.close()
        await super().shutdown(sockets)


def make_server(app: Any, host: str, port: int, line: JobQueue, drain: float = DRAIN_SECONDS) -> EndingServer:
    """Return the server of an app. line: queue of its calls. drain: seconds for the running job when it stops."""
    config = uvicorn.Config(
        app,
        host,
        port,
        http=TimedConnection,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=END_SECONDS,
    )
    return EndingServer(config, line, drain)
