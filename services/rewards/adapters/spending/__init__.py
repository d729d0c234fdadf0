"""The checkout in PostgreSQL: redemptions, codes, stocks, refusals."""
