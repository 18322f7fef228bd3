"""What a text is like: its theme, and other texts that say the same in other words.

Plain functions and small classes, which know nothing of the register's tables or of HTTP. What
needs vectors is in :mod:`app.likeness.encoding`, :mod:`app.likeness.neighbours` and
:mod:`app.likeness.alike`, which import numpy, and is loaded by :func:`app.likeness.model.load` when
somebody first asks; what works by letters alone needs nothing beside Python.
"""
