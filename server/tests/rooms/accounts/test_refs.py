import make
import pytest

from daytwo_server.accounts.models import ApiToken
from daytwo_server.core.ref import Ref, resolve_many

pytestmark = pytest.mark.django_db


def test_the_audit_log_can_name_what_these_rooms_changed(alice, django_assert_num_queries):
    make.token(alice)
    key = make.key(make.project("Shop"), label="Web")
    dana = make.dana()
    token = ApiToken.objects.get()
    refs = [
        Ref("user", alice.pk), Ref("token", token.pk), Ref("project", key.project_id), Ref("key", key.pk),
        Ref("customer", dana.pk), Ref("project", 999),
    ]  # fmt: skip
    with django_assert_num_queries(5):
        shown = [(ref.title, ref.url) for ref in resolve_many(refs * 3)][:6]
    assert shown == [
        ("Alice", "/settings/members/?q=alice%40example.com"),
        ("Script", ""),
        ("Shop", "/projects/shop/"),
        ("Shop: Web", "/projects/shop/"),
        ("Dana", f"/customers/{dana.pk}/"),
        ("project 999", ""),
    ]
