"""Exports: whole tables as files, each written by a process of its own.

That process sees one snapshot of the register, and writes into a pipe no faster than the client
reads. So an export of a million rows costs the service neither memory nor turns of its event loop,
and whatever it holds ends with it.
"""
