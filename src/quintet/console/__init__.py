"""The web pages served by the server itself."""
