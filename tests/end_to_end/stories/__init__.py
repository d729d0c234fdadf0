"""Weeks in the life of a shop: real services, a clock that is set by hand, mail in a real mailbox."""
