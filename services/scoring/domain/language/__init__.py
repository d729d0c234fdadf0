"""What customers' own words say: how they feel, and what they praise or complain of. English first."""
