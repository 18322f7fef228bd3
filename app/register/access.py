"""Who may see and change what; the one place for these rules."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.errors import Forbidden
from app.models.clients import Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a client that acts for an organisation, or (without one) anybody."""

    client: str | None = None
    organisation: str | None = None
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    accepts_flagged: bool = False
    """Whether there is something in what it sends that may be personal data, and it is accepted."""

    @property
    def curates(self) -> bool:
        return Scope.CURATE in self.scopes

    def may(self, scope: Scope) -> bool:
        """Whether the key reaches so far: each key reads, and who curates contributes, too."""
        return (
            scope in self.scopes
            or (scope is Scope.READ and self.client is not None)
            or (scope is Scope.CONTRIBUTE and self.curates)
        )

    def covers(self, organisation: str, icb: str | None, region: str | None) -> bool:
        """Whether an organisation is the caller's own or below it, or anybody's to a curator.

        Drafts are seen, and entries are written, by those who cover their organisation.
        """
        return self.curates or (
            self.organisation is not None and self.organisation in (organisation, icb, region)
        )

    def must_cover(self, organisation: str, icb: str | None, region: str | None) -> None:
        if not self.covers(organisation, icb, region):
            raise Forbidden(
                f"The key is {self.organisation}'s and cannot write for that organisation."
            )


ANYBODY = Caller()
OPERATOR = Caller(scopes=frozenset({Scope.CURATE, Scope.ADMIN}))
"""Who runs the service, at its command line."""
