"""A message: whether and when it goes out, how it goes on, how it looks."""
