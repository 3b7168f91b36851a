"""The extension of a WebUI: AUTOMATIC1111, Forge and their like. Imports the host, and is imported by nothing else."""
