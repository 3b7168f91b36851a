"""The typed client of the HTTP API, and engines that run on another machine."""
