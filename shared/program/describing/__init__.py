"""A program in plain words: each rule, what the file states of it, and what differs between two programs."""
