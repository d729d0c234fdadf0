"""Redemptions by the quarter of an hour, watched for what is unusual."""
