"""OData v4: what the register is to an analyst's tool, and how such a tool asks.

Here is what can be asked, read into types: the sets and their properties (:mod:`~app.odata.sets`),
the metadata that tells of them, addresses, and query options with their expressions. What finds it
is in :mod:`app.register.odata`; what answers is in :mod:`app.http.odata`. Sections are those of
OData 4.0, part 1 (protocol), part 2 (URL conventions) and part 3 (CSDL).
"""
