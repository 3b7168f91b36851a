"""The typed client of the HTTP API, and engines that work on another machine."""
