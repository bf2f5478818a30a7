from django.http import HttpRequest

from daytwo_server.accounts.models import User


def viewer(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # `require` let nobody else in
    return request.user
