"""Accounts: one account system for all five products."""

from quintet.kernel.actor import Actor
from quintet.kernel.parts import Part
from quintet.kernel.refusals import NotSignedIn

PART = Part("accounts")


async def nobody(_token: str) -> Actor:
    """Know nobody."""
    raise NotSignedIn
