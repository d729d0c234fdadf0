"""The program and its versions over HTTP, and whether it can be read."""
