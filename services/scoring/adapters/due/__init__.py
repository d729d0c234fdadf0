"""What has to be done about customers, and when: their days, and occasions."""
