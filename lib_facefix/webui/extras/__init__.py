"""The extras tab."""
