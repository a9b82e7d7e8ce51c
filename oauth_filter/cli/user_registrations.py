"""Which clients with `registration_required` a user may use."""

from collections.abc import Iterable

from oauth_filter.cli.client_lookup import find_client
from oauth_filter.cli.configuration import every
from oauth_filter.cli.exits import NOT_FOUND
from oauth_filter.cli.exits import Failure
from oauth_filter.records import AccessToken
from oauth_filter.records import AuthorizationCode
from oauth_filter.records import Consent
from oauth_filter.records import RefreshToken
from oauth_filter.records import User
from oauth_filter.settings import Settings
from oauth_filter.stores import Store


def registrations(
    settings: Settings, store: Store, found: User, *, added: Iterable[str], removed: Iterable[str] = ()
) -> tuple[str, ...]:
    """The clients the user is registered for after a change. Raise Failure for one that there is not."""
    for client_id in added:
        find_client(settings, store, client_id)
    for client_id in removed:
        if client_id not in found.registrations:
            raise Failure(f"{found.key} is not registered for {client_id}", NOT_FOUND)
    return tuple(one for one in dict.fromkeys((*found.registrations, *added)) if one not in set(removed))


def end_at(store: Store, found: User, client_id: str) -> None:
    """End what a client has of a user: tokens, codes and the remembered consent."""
    subject = found.subject or found.key
    # A refresh does not ask whether the user is still registered.
    store.delete(Consent, Consent.key_of(subject, client_id))
    kinds = (AuthorizationCode, AccessToken, RefreshToken)
    issued = (one for kind in kinds for one in every(store, kind, client_id=client_id, subject=subject))
    for grant_id in {one.grant_id for one in issued if one.grant_id is not None}:
        store.revoke("grant", grant_id)
