"""Members who become one, and parts of them that go to others."""
