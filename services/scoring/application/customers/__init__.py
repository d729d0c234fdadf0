"""One customer as they stand, now or at a moment."""
