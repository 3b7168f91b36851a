"""The HTTP API and the web page of `facefix serve`."""
