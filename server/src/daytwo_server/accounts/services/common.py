"""What the services of this room share."""


class AccountsError(Exception):
    """What was asked cannot be done; the text says why and what to do."""


class LinkGoneError(AccountsError):
    """A one-time link is unknown, used, revoked or expired."""


class NotAllowedError(AccountsError):
    """The person who asks has not the role for it; the text names the role."""
