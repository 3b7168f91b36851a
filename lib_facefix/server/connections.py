"""Connections of `facefix serve`, each with time limits, and a server that ends when it is told to."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .job_queue import JobQueue

HEAD_SECONDS = 10.0
"""Seconds within which a client must begin a request and send its head."""
READ_SECONDS = 20.0
"""Seconds within which a client must read some of an answer."""
END_SECONDS = 6
"""Seconds within which connections must end when the server does."""
LOOK = 1.0
"""Seconds between two looks at a connection."""


class TimedConnection(H11Protocol):
    """A connection that is cut when its client neither asks nor reads for long."""

    _since = 0.0
    """When it last did what it should."""
    _unread = 0
    """Bytes of an answer that the client has yet to read."""
    _next_look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch no longer."""
        if self._next_look:
            self._next_look.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
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
            self._next_look = self.loop.call_later(LOOK, self._look)


class EndingServer(uvicorn.Server):
    """A server that stops its work, and answers whoever waits for it, before it ends."""

    def __init__(self, config: uvicorn.Config, line: JobQueue) -> None:
        super().__init__(config)
        self._line = line

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop the work, then everything else."""
        self._line.close()
        await super().shutdown(sockets)


def make_server(app: Any, host: str, port: int, line: JobQueue) -> EndingServer:
    """Return the server of an app. line: where its calls wait."""
    config = uvicorn.Config(
        app,
        host,
        port,
        http=TimedConnection,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=END_SECONDS,
    )
    return EndingServer(config, line)
