"""Who is who: found out with each batch of events, and decided by people."""
