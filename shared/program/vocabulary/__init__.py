"""What conditions, campaigns and templates may name, with its type: facts of customers, fields of events, occasions."""
