"""The public language of Regulars: the event catalogue and the records of the three streams.

Everything here is data. Services agree on these shapes and on nothing else.
"""
