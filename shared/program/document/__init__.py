"""The file as its author wrote it: YAML with line and column, read value by value, every fault noted."""
