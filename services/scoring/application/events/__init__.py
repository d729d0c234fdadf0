"""Events are taken in: whom they change, and what the activity stream is told of each."""
