"""The program as frozen types, once it has been checked: what all services go by."""
