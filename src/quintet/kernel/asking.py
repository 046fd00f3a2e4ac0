"""Asking others over HTTP: what every client of ours has in common.

Invariant: a question goes where the settings say: no redirect is followed, and nothing of the environment
(proxies, certificates, passwords in files) changes that.
"""

import ssl
from functools import cache
from typing import Any

import httpx2


@cache
def _trusted() -> ssl.SSLContext:
    """Whom to trust; read once for the process, since that takes some thirty milliseconds."""
    return httpx2.create_ssl_context(trust_env=False)


def new_client(**options: Any) -> httpx2.AsyncClient:
    """A client for questions to others; `options` are those of `httpx2.AsyncClient`."""
    return httpx2.AsyncClient(verify=_trusted(), follow_redirects=False, trust_env=False, **options)
