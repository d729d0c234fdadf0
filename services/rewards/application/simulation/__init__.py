"""What another program would have given: a share of the history, played under two programs."""
