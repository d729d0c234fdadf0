"""What the links in messages lead recipients to, and addresses that nothing is sent to."""
