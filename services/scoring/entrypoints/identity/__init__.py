"""Who is who over HTTP: merges, those undone, and those suggested."""
