"""The gateway: what every request passes before it reaches a page or a route, as the settings have it."""

from fastapi import FastAPI

from index.sessions import session_key
from index.settings import Settings
from rag.access import Access
from rag.limits import Rate
from rag.passwords import read_users
from rag.proxies import Proxies
from rag.shield import Shield

QUESTIONS_PER_MINUTE = 20
"""What one client may ask where other machines reach the server and nothing else is set."""


def guard(app: FastAPI, settings: Settings, *, local_only: bool) -> None:
    """Put everything around `app` that keeps strangers out.

    Args:
        app: what is served; routes may be added later.
        settings: who may come in, under which names, through which proxies.
        local_only: the server listens on a loopback address.

    Raises:
        SettingsError: BYLINE_AUTH or the key of sessions cannot be used.
    """
    users = read_users(settings.auth.get_secret_value()) if settings.auth is not None else {}
    app.add_middleware(Access, users=users, key=session_key(settings.home))
    # Added last, it stands outermost: the names and addresses are true when the others look at them.
    proxies = Proxies(settings.proxies, root_path=settings.root_path)
    app.add_middleware(Shield, local_only=local_only, hosts=settings.hosts, proxies=proxies)


def asking_rate(settings: Settings, *, local_only: bool) -> Rate:
    """How much one client may ask."""
    unset = None if local_only and not settings.proxies else QUESTIONS_PER_MINUTE
    return Rate(settings.questions_per_minute or unset)
