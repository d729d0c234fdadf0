"""`make bench`: what Regulars does on this machine, beside its limit and a rival, in one run."""
