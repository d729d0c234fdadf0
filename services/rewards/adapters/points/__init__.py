"""Points in PostgreSQL: lots as decisions need them, adjustments, opening balances, books, and the ledger's proof."""
