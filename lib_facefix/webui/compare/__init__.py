"""The comparison of images before and after."""
