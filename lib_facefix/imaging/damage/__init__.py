"""What is wrong with a face: too little detail, noise, JPEG blocks, scratches. Pure functions on grey crops."""
