"""Providers of e-mail, SMS and push: what answers mean, how fast to ask, when to try again or to leave one alone."""
