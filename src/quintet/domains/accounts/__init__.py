"""Accounts: one account system for all five products.

Other schemas may read the view `accounts.people` (id, username, display_name, created_at) and refer to
`accounts.users (id)`; nothing else of this schema is theirs.
"""

from quintet.domains.accounts.actions import make_admin
from quintet.domains.accounts.authentication import Nobody, start
from quintet.domains.accounts.finding import account_named, users_named
from quintet.domains.accounts.model import Account, EmailTaken, UsernameTaken
from quintet.domains.accounts.queries import accounts_of
from quintet.domains.accounts.routes import ROUTES
from quintet.domains.accounts.upkeep import accounts_upkeep
from quintet.kernel.parts import Part

PART = Part("accounts", routes=ROUTES, background=(accounts_upkeep,), on_start=(start,))

__all__ = [
    "PART", "Account", "EmailTaken", "Nobody", "UsernameTaken", "account_named", "accounts_of", "make_admin",
    "users_named",
]  # fmt: skip
