"""The one loop that carries out plans: batches of cut, mask, fix and paste."""
