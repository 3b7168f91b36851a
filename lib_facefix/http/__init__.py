"""The same over HTTP: an API that a WebUI mounts and `facefix serve` runs, and its client."""
