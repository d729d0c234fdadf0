"""What has to be done about customers, and when: their days, occasions, and notes of those who changed."""
