"""What OData asks for, as SQL over the register's tables."""
