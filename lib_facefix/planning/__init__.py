"""The plan: what is to be done to each face of an image, decided before any work starts."""
