"""The sections of the file: each is read, checked as far as it alone can tell, and becomes a part of the model."""
