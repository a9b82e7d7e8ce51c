"""The request log of the development server: a line a request, without the query."""

from werkzeug.serving import WSGIRequestHandler


class RequestLog(WSGIRequestHandler):
    """Werkzeug's own log has whole URLs, and the query of a URL here can be a code or a token."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        path = getattr(self, "path", "?").partition("?")[0]
        shown = "".join(c if c.isprintable() else "?" for c in path)
        self.log("info", "%s %s %s", getattr(self, "command", "?") or "?", shown, code)
