"""The HTTP API, and the page of `facefix serve`."""
