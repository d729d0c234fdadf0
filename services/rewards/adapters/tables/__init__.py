"""The tables of schema `rewards`, by subject; `schema` has the ledger and members, and all on one metadata."""
