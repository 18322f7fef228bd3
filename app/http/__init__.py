"""How the service speaks HTTP: what every operation has in common, once."""
