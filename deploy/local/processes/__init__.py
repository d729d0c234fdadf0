"""The processes of the services: which there are, and how they are kept alive and ended."""
