"""Alerts: what somebody should look at, raised by any service, decided about by people, kept in schema `platform`."""
