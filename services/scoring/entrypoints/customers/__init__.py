"""One customer over HTTP: profile, score, tags, timeline, stages, each now or as of a moment."""
