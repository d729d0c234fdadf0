"""Points over HTTP: adjustments, and the books of all."""
