"""Thin adapters to other people's ways of putting WSGI together, each imported only when asked for."""
