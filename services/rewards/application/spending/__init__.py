"""Points and codes at the checkout."""
