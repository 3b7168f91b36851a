"""The WebUI's settings page, engine and lists of choices."""
