"""Statistics: the register in figures."""
