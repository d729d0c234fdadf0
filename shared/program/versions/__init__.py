"""The program's versions, which all services may read: texts that never change, and when each is in force."""
