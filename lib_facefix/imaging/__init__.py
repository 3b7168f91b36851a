"""Pure functions on arrays: no model, no state, no file."""
