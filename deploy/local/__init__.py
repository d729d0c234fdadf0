"""Regulars on one machine: the embedded database, the service processes, and what watches over both."""
