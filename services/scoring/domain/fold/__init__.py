"""The fold: how each event changes the state of a customer, what is told of it, and the course of stages so far."""
