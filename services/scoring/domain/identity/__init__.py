"""Who is who: which identifiers belong to one customer."""
