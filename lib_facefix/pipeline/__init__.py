"""The loop that carries out plans: rounds of cutting, masking, fixing, and pasting."""
