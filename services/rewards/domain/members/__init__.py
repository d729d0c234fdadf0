"""Members as decisions see them; two who become one, and a part of one that goes to another."""
