"""How the parts of scoring are put together: the API, the worker, the rebuild."""
