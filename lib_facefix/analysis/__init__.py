"""Analysis of faces: combined detectors, and comparison of persons."""
