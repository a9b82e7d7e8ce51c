"""The protected resource: who may pass, and what the application is told about them -- RFC 6750."""
