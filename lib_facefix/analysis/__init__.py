"""What is found out about faces: detectors put together, and who resembles whom."""
