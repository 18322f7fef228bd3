"""How lists of innovations, and counts of them, are come to: what a query asks for, by which index
it is answered, as of when, and what is remembered of it. It knows the log, and no feature.
"""
