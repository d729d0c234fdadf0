"""`GET /v1/customers/{customer}/explain`: why, and why not."""
