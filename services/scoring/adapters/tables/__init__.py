"""The tables of schema `scoring`, by subject; `schema` has the first of them, and all on one metadata."""
