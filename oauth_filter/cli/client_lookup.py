"""Finding a client by its id: in the ini, where it is only read, or in the store."""

from pathlib import Path
from typing import Final

from oauth_filter.cli.configuration import place
from oauth_filter.cli.exits import NOT_FOUND
from oauth_filter.cli.exits import Failure
from oauth_filter.records import Client
from oauth_filter.settings import Settings
from oauth_filter.stores import Store

STORE: Final = "store"
"""Where clients are defined that are not in the ini."""


def find_client(settings: Settings, store: Store, client_id: str) -> Client:
    """The client of that id, of the ini before the store. Raise Failure when there is none."""
    configured = next((client for client in settings.clients if client.key == client_id), None)
    return configured or stored_client(store, client_id)


def stored_client(store: Store, client_id: str) -> Client:
    """Raise Failure when there is no such client in the store."""
    found = store.get(Client, client_id)
    if found is None:
        raise Failure("there is no client of this id; `oauth-filter client list` shows them", NOT_FOUND)
    return found


def is_configured(settings: Settings, client_id: str) -> bool:
    return any(client.key == client_id for client in settings.clients)


def defined_in(path: Path, settings: Settings, client_id: str) -> str:
    """The line of the ini where the client is defined, or `STORE`."""
    return (place(path, f"client:{client_id}") or str(path)) if is_configured(settings, client_id) else STORE


def refuse_configured(path: Path, settings: Settings, client_id: str, exit_code: int) -> None:
    """Raise Failure for a client of the ini: it is changed there and nowhere else."""
    if is_configured(settings, client_id):
        where = defined_in(path, settings, client_id)
        raise Failure(f"{client_id} is defined in {where}; change it there", exit_code)
