"""Types of columns. Ids are compared as bytes (collation C): faster, and sorted as Python sorts them."""

from sqlalchemy import DateTime, String

ID = String(collation="C")
MOMENT = DateTime(timezone=True)
