"""How the parts of deliveries are put together: the routes, the worker, the sender of messages."""
