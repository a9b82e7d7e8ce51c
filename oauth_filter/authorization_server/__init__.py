"""The authorization server: what answers `/oauth2/*`."""
