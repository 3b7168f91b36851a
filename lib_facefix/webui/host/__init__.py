"""The seams to the host: everything that differs between WebUIs."""
