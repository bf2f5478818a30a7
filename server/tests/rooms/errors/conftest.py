"""What the tests of errors share."""

import pytest


@pytest.fixture
def shop(db):
    import make

    return make.project("Shop")


@pytest.fixture
def read(bob, signed_in):
    """The text of a page."""
    client = signed_in(bob)

    def text(address):
        response = client.get(address)
        assert response.status_code == 200
        return response.content.decode()

    return text
