"""The server of the Redis store: its connections, its script, and what is made of its troubles."""

import hashlib
from collections.abc import Callable
from typing import Any
from typing import Final
from typing import TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from oauth_filter.errors import ConfigError
from oauth_filter.errors import OAuthError
from oauth_filter.errors import Problem
from oauth_filter.errors import Unreachable

T = TypeVar("T")

VERSION: Final = 1
CONNECTIONS: Final = 50
"""The most that one process opens, as many as it needs at a time."""
_CONNECT_TIMEOUT: Final = 3
_TIMEOUT: Final = 5
"""Seconds to wait for an answer, or for a free connection."""
_SCANNED: Final = 1000
"""How many keys are looked at in one go."""


class RedisServer:
    """Connections to the Redis of a URL, safe under threads and after fork, and one script to run there.

    Raise ConfigError if the URL cannot be read. Nothing raised here holds the password.
    """

    def __init__(self, url: str, *, script: str, synchronous: str) -> None:
        self._script: Final = script
        self._digest: Final = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        self._synchronous: Final = synchronous
        try:
            pool = redis.BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS,
                timeout=_TIMEOUT,
                socket_timeout=_TIMEOUT,
                socket_connect_timeout=_CONNECT_TIMEOUT,
                # A script whose answer was lost may have run: what is spent must not be spent again and found spent.
                retry=Retry(NoBackoff(), 0),
            )
        except (ValueError, TypeError):
            # Not with their words, which quote what was taken for the port.
            raise _refused("the URL cannot be read") from None
        self._client: Final = redis.Redis(connection_pool=pool)

    def open(self, generation: int) -> None:
        """Make or check what is there. Raise ConfigError if the server cannot be used, or has something else's keys."""
        try:
            self._open(generation)
        except BaseException:
            self.close()
            raise

    def _open(self, generation: int) -> None:
        try:
            self._check(self._client.info())
            self._claim(generation)
        except TypeError:
            raise _refused("the URL has an option that redis-py does not know") from None
        except (redis.AuthenticationError, redis.exceptions.NoPermissionError):
            raise _refused("the Redis server refuses the user or the password, or what they may do") from None
        except redis.ResponseError as error:
            raise _refused(f"the Redis server refuses to work ({type(error).__name__})") from None
        except (redis.RedisError, OSError):
            fault = "the Redis server cannot be reached; see that it runs and that the URL is right"
            raise Unreachable([Problem(option="store", message=fault)]) from None

    def run(self, *arguments: Any) -> Any:
        """What the script returns for these arguments. Storage trouble becomes OAuthError."""
        return self._do(lambda client: self._evaluate(client, arguments))

    def run_again(self, *arguments: Any) -> Any:
        """The same for a verb that changes nothing, which is tried once more when the connection was lost."""
        return self.read(lambda client: self._evaluate(client, arguments))

    def read(self, work: Callable[["redis.Redis"], T]) -> T:
        def twice(client: "redis.Redis") -> T:
            try:
                return work(client)
            except redis.ConnectionError:
                return work(client)

        return self._do(twice)

    def scan(self, cursor: int, pattern: bytes) -> tuple[int, list[bytes]]:
        """Some names that match, and the cursor of the next; 0 at the beginning and after the end."""
        following, names = self.read(lambda client: client.scan(cursor, match=pattern, count=_SCANNED))
        return following, [name for name in names if isinstance(name, bytes)]

    def close(self) -> None:
        self._client.connection_pool.disconnect()

    def _evaluate(self, client: "redis.Redis", arguments: tuple[Any, ...]) -> Any:
        try:
            return client.evalsha(self._digest, 0, *arguments)
        except redis.exceptions.NoScriptError:
            return client.eval(self._script, 0, *arguments)

    def _do(self, work: Callable[["redis.Redis"], T]) -> T:
        try:
            return work(self._client)
        except redis.DataError:
            raise
        except (redis.RedisError, OSError) as error:
            if isinstance(error, redis.ResponseError) and "user_script" in str(error).partition(" script:")[0]:
                raise
            raise OAuthError(
                "temporarily_unavailable", "The store cannot be reached.", reason="store_unavailable"
            ) from error

    def _check(self, info: dict[str, Any]) -> None:
        """Raise ConfigError for a server whose own configuration breaks what we promise."""
        if info.get("cluster_enabled"):
            raise _refused("the Redis server is part of a cluster, where no script sees all keys; name a single one")
        if info["role"] != "master":
            raise _refused("the Redis server is a replica; name its master")
        if info["maxmemory_policy"] != "noeviction":
            raise _refused(
                "the Redis server drops keys when its memory is full, and revocations are keys; "
                "set maxmemory-policy noeviction"
            )
        if self._synchronous == "NORMAL":
            return
        if not info.get("aof_enabled") or self._appendfsync() != "always":
            raise _refused(
                "the Redis server may lose what it acknowledged; set appendonly yes and appendfsync always there, "
                "or synchronous = NORMAL to put up with it"
            )

    def _appendfsync(self) -> str | None:
        try:
            return self._client.config_get("appendfsync").get("appendfsync")
        except redis.ResponseError:
            # Services that others run do not tell.
            return None

    def _claim(self, generation: int) -> None:
        version = self._client.get("oauth:version")
        if version is None and any(self._client.scan_iter(match="oauth:*", count=_SCANNED)):
            # Unless another process was faster in the meantime.
            version = self._client.get("oauth:version")
            if version is None:
                raise _refused("the Redis database has keys of something else with our names; name another database")
        if version is not None and not version.isdigit():
            raise _refused("the Redis database has keys of something else with our names; name another database")
        if version is not None and int(version) > VERSION:
            raise _refused(
                f"the Redis database was written by a newer oauth_filter (version {int(version)}, this is {VERSION}); "
                "install that one"
            )
        self._client.set("oauth:version", VERSION, nx=True)
        self._client.set("oauth:generation", generation, nx=True)


def _refused(fault: str) -> ConfigError:
    return ConfigError([Problem(option="store", message=fault)])
