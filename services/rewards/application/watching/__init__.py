"""What is watched from time to time: unusual redemptions, and alerts that nobody has been told of."""
