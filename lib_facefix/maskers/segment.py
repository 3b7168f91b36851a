"""Masks of what a detector outlined: YOLO segmentation."""
