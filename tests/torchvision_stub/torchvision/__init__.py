"""Stands in for torchvision in tests where it is not installed: what spandrel names while it is imported.

For tests only. It can do nothing; spandrel's nets that FaceFix calls need nothing of it.
"""
