"""What the services of this room share."""


class AccountsError(Exception):
    """What was asked cannot be done; the text says why and what to do."""
