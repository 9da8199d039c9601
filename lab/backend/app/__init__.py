"""A stand-in for the Save-It.AI backend: it behaves, and misbehaves, as the real one was measured to."""
