"""What a program would have given, had it been in force: real history decided again, against the program in force.

`replay` plays one program over some customers, `figures` is what comes of it, `contrast` sets two programs against
each other, `report` says it in words. Who is who is taken as it is known today: customers who proved to be one are one
from the beginning.
"""
