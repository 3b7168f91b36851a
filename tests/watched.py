"""A `Progress` that remembers what it was told."""

NEVER = 10_000


class Watching:
    def __init__(self, stop_after=NEVER):
        """stop_after: how often it is told something before it says stop."""
        self.steps, self.stop_after = [], stop_after

    def step(self, done, total, doing):
        self.steps.append((done, total, doing))

    def should_stop(self):
        return len(self.steps) >= self.stop_after
