"""How the parts of rewards are put together: the API, the worker, and what comes before either."""
