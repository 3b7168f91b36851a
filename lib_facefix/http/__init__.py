"""FaceFix over HTTP: who serves it, and who asks."""
