"""Messages: asked for, decided about, written, sent; shown beforehand, and tried."""
