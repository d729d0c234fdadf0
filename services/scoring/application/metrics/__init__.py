"""What all customers amount to: rollups and their sums, and the share of e-mails that is opened."""
