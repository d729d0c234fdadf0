"""Templates of messages: a small, safe part of Jinja's language, checked when the program is loaded, then rendered."""
