"""Sending logout tokens behind the answer to the browser -- OpenID Connect Back-Channel Logout 1.0 section 2.5."""

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from oauth_filter.events import logger
from oauth_filter.messages.form import encode_form
from oauth_filter.signing.fetching import TIMEOUT
from oauth_filter.signing.fetching import post

WORKERS: Final = 4
"""How many clients a process tells at the same time."""
MAX_WAITING: Final = 1000
"""How many more may wait: clients that do not answer must not fill the memory."""
PAUSES: Final = (0.5, 2.0)
"""Seconds before each further attempt. The last one ends well within the two minutes that a logout token is good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A logout token to be sent."""

    uri: str
    make_token: Callable[[], str]
    """Called when its turn has come, so that the token does not grow old while it waits."""
    report: Callable[[str | None], None]
    """Called once: with None when the client has it, or else with what went wrong."""


class Backchannel:
    """Delivers in threads that are there only while there is something to deliver.

    They end with the process: what is under way then gets as long as one attempt may take, and no further attempt.
    Nothing is kept beyond the process. Does not decide where may be posted to: `fetching.post` does.
    """

    def __init__(self, *, allow_private: bool, pauses: tuple[float, ...] = PAUSES) -> None:
        self._allow_private = allow_private
        self._pauses = pauses
        self._crew: _Crew | None = None

    def send(self, delivery: Delivery) -> None:
        """Deliver it soon; returns at once."""
        crew = self._crew
        # Neither threads nor locks survive a fork in a state to be used; what the parent has waiting it delivers.
        if crew is None or crew.pid != os.getpid():
            self._crew = crew = _Crew(self._deliver)
            atexit.register(crew.close)
        if (problem := crew.take(delivery)) is not None:
            delivery.report(problem)

    def close(self) -> None:
        """Wait until what is waiting has been tried once, but no longer than one attempt may take."""
        if self._crew is not None:
            self._crew.close()

    def _deliver(self, delivery: Delivery, closing: threading.Event) -> str | None:
        """None once the client has it; else what went wrong with the last attempt."""
        body = encode_form([("logout_token", delivery.make_token())]).encode()
        problem: str | None = None
        for pause in (*self._pauses, None):
            problem, is_final = self._attempt(delivery.uri, body)
            if is_final or pause is None or closing.wait(pause):
                break
        return problem

    def _attempt(self, uri: str, body: bytes) -> tuple[str | None, bool]:
        """What went wrong, and whether trying again could not change it."""
        try:
            status = post(uri, body, allow_private=self._allow_private)
        except OSError as error:
            return str(error) or type(error).__name__, False
        # Section 2.8 wants 200 and has us prepared for 204; 400 says that the client could not make use of it.
        if status in (200, 204):
            return None, True
        return f"the answer is {status}", status < 500 and status not in (408, 429)


class _Crew:
    """The threads of one process, and what waits for them."""

    def __init__(self, deliver: Callable[[Delivery, threading.Event], str | None]) -> None:
        self.pid: Final = os.getpid()
        self._deliver = deliver
        self._lock = threading.Lock()
        self._waiting: deque[Delivery] = deque()
        self._threads: set[threading.Thread] = set()
        self._closing = threading.Event()

    def take(self, delivery: Delivery) -> str | None:
        """None, or why it will not be delivered."""
        with self._lock:
            problem = "too many others are waiting" if len(self._waiting) >= MAX_WAITING else self._staff()
            if problem is None:
                self._waiting.append(delivery)
            return problem

    def close(self) -> None:
        self._closing.set()
        deadline = time.monotonic() + TIMEOUT
        for thread in list(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _staff(self) -> str | None:
        """See to it that somebody works; else say why nobody does."""
        if len(self._threads) < WORKERS:
            thread = threading.Thread(target=self._work, name="oauth_filter logout", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                return None if self._threads else str(error)
            self._threads.add(thread)
        return None

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads.discard(threading.current_thread())
                    return
                delivery = self._waiting.popleft()
            try:
                delivery.report(self._deliver(delivery, self._closing))
            except Exception:
                logger.exception("a logout token could not be sent")
