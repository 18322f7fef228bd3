"""The rules and the queries of the register, as plain functions.

What writes takes a SQLModel session first, what reads takes a reader; none of it knows HTTP.
"""
