"""What a webhook says, to whom, how it is signed, when it is tried again, and where it may not go."""
