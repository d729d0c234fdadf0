"""`GET /v1/customers/{customer}/explain`: why, and why not; and the notes of what was refused."""
