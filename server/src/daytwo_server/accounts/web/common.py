"""What the pages of this room share."""

from django.http import HttpRequest

from daytwo_server.accounts.models import User


def viewer(request: HttpRequest) -> User:
    """The person who is signed in, where `permissions.require` stands before."""
    assert isinstance(request.user, User)  # `require` let nobody else in
    return request.user
