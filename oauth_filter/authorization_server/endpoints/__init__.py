"""The endpoints, one file a URL. The whole list stands in `authorization_server.app`."""
