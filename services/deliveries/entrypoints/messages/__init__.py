"""Messages over HTTP, and the loops that send, watch and forget them."""
