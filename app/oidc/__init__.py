"""Tokens (JWT) of an OpenID Connect issuer, taken in the place of a key.

A token is checked here, with keys that its issuer publishes; nothing is asked of the issuer while a
request waits, unless its keys are not known. See docs/oidc.md for how to set it up.
"""

from __future__ import annotations

from app.oidc.tokens import Tokens, has_form_of_token

__all__ = ["Tokens", "has_form_of_token"]
