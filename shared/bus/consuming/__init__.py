"""Consuming a stream: batches in one transaction with their offset, poison set aside, progress that is watched."""
