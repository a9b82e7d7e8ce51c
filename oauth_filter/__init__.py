"""One WSGI callable that makes any WSGI application an OAuth 2 provider and a protected resource."""
