"""Controls in gradio, in whatever version the host has."""
