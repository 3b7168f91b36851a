"""Which hosts are this machine, and why a server could not be reached."""

import http.client
import socket
import urllib.error

import pytest

from lib_facefix.weights.urls import explain_failure, is_loopback


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.2", "127.255.255.254", "::1", "[::1]", "::ffff:127.0.0.1"]
)
def test_localhost_and_the_addresses_of_this_machine_are_local(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        *("", None, "127.evil.com", "127.0.0.1.evil.com", "localhost.evil.com", "128.0.0.1", "0.0.0.0", "::", "[]"),
        *("127.1", "0127.0.0.1", "127.0.0.1:80", "2130706433", "[::1", "::ffff:10.0.0.1", "example.com"),
    ],
)
def test_every_other_name_or_address_is_another_machine(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (urllib.error.URLError(TimeoutError("timed out")), "it does not answer in time"),
        (TimeoutError(), "it does not answer in time"),
        (urllib.error.URLError(ConnectionRefusedError(111, "Connection refused")), "Connection refused"),
        (urllib.error.URLError(socket.gaierror(-2, "Name or service not known")), "Name or service not known"),
        (urllib.error.URLError("unknown url type"), "unknown url type"),
        (http.client.RemoteDisconnected("closed"), "closed"),
        (http.client.BadStatusLine(""), "''"),
        (ConnectionResetError(), "ConnectionResetError"),
    ],
)
def test_a_failure_is_told_in_a_few_words(error, told):
    assert explain_failure(error) == told
