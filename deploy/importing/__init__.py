"""`regulars import`: years of history from a file, through the public API, without a message to anybody."""
