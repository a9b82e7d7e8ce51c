"""What a client with `debug` has written to the event log when it is refused. None of it is in any answer."""

from typing import Final

from oauth_filter.records import Client

_LONGEST: Final = 300


def explained(client: Client, text: str) -> str | None:
    """The `detail` of a refusal of this client; None where nobody asked for it.

    The text may hold what the request said, by way of `quoted`, but never a code, token, verifier or secret.
    """
    return f"client {client.key}: {text}" if client.debug else None


def quoted(text: str | None) -> str:
    """Text of a request on one line, in ASCII, and not too much of it."""
    if text is None:
        return "nothing"
    return ascii(text[:_LONGEST]) + ("..." if len(text) > _LONGEST else "")
