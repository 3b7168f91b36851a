"""Plans: decisions about each face of an image, made before any work starts."""
