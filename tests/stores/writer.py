"""The victim of the kill test: issues and rotates tokens, printing each one when it has been acknowledged."""

import os
import sys
import threading
import time

from oauth_filter.records import AccessToken
from oauth_filter.records import RefreshToken
from oauth_filter.stores import open_store


def issue(store, name):
    """A family of its own: `put` and then rotate for ever, as the token endpoint does; now and then revoke one."""
    family = 0
    while True:
        family += 1
        grant_id = f"{name}.{family}"
        head = RefreshToken(key=f"{grant_id}.0", grant_id=grant_id)
        store.put(head, AccessToken(key=head.key, grant_id=grant_id))
        acknowledge("issued", head.key)
        for generation in range(1, 4):
            following = RefreshToken(key=f"{grant_id}.{generation}", grant_id=grant_id)
            if not store.exchange(head, following, AccessToken(key=following.key, grant_id=grant_id)):
                acknowledge("lost", head.key)
            acknowledge("spent", head.key)
            acknowledge("issued", following.key)
            head = following
        if family % 2 == 0:
            acknowledge("revoking", grant_id)
            store.revoke("grant", grant_id)
            acknowledge("revoked", grant_id)


def acknowledge(what, key):
    # One write a line, so that a line is there whole or not at all.
    os.write(1, f"{what} {key}\n".encode())


if __name__ == "__main__":
    _, url, name = sys.argv
    store = open_store(url, now=time.time)
    for thread in range(3):
        threading.Thread(target=issue, args=(store, f"{name}.{thread}")).start()
