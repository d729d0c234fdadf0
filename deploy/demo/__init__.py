"""The demo: a year of real grocery orders, replayed through the public API."""
