"""How OData is spoken over HTTP: what a client takes, errors, and the JSON of entities."""
