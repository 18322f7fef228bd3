"""How fast the register is, beside a constant answer of the same size from the same server.

``python -m benchmarks --help`` tells how to run it. Rates of two runs, or of two machines, cannot
be compared; a case's share of the constant answer's rate can.
"""
