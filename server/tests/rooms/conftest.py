"""The cast, and browsers they sit at. Imports of the project wait inside: this file loads before Django is set up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client

if TYPE_CHECKING:
    from daytwo_server.accounts.models import User


@pytest.fixture
def alice(db: None) -> User:
    """Owns the workspace."""
    import make

    return make.alice()


@pytest.fixture
def bob(db: None) -> User:
    """An engineer."""
    import make

    return make.bob()


@pytest.fixture
def charlie(db: None) -> User:
    """Signed in but no member: must see nothing."""
    import make

    return make.charlie()


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """A browser in which this person is signed in."""

    def browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return browser
