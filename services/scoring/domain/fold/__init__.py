"""The fold: how each event changes the state of a customer, and what is told of it."""
