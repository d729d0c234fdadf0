"""Events as they were taken in: the inbox, the timeline, the personal data in them."""
