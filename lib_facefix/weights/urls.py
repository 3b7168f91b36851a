"""Opening addresses over HTTP and HTTPS, with proxies, loopback hosts and explanations of failures."""

import ipaddress
import urllib.request
from typing import Any
from urllib.parse import urlsplit


def is_loopback(host: str | None) -> bool:
    """Return whether a host is this machine: "localhost", or an address of 127.0.0.0/8 or ::1.

    Names are not resolved, so "127.example.com" is another machine.
    """
    host = (host or "").casefold()
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host[1:-1] if host[:1] + host[-1:] == "[]" else host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def host_name(header: str) -> str:
    """Return the name in a Host header without port and brackets, or blank if there is none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def open_url(request: urllib.request.Request, timeout: float, redirects: urllib.request.HTTPRedirectHandler) -> Any:
    """Return the response to a request over http or https; other schemes (file, ftp) have no handler.

    timeout: longest wait for a byte, in seconds. redirects: decides which redirects are followed. The proxies of the
    environment are used except for this machine. Passes on urllib's errors.
    """
    opener = urllib.request.OpenerDirector()
    for handler in (
        _Proxies(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        redirects,
    ):
        opener.add_handler(handler)
    return opener.open(request, timeout=timeout)


def explain_failure(error: Exception) -> str:
    """Return in a few words why a server could not be reached, or why its response ended early."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "it does not answer in time"
    return str(getattr(reason, "strerror", None) or reason) or type(reason).__name__


class _Proxies(urllib.request.ProxyHandler):
    """Uses the proxies of the environment for every host except this machine, also after a redirect."""

    def proxy_open(self, req: urllib.request.Request, *proxy: Any) -> Any:
        return None if is_loopback(urlsplit(req.full_url).hostname) else super().proxy_open(req, *proxy)
