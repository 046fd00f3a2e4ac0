"""What stops a command with one readable sentence instead of a stack."""


class CannotServe(Exception):
    """The server cannot begin to serve; the message says why and what to do."""
