"""Who may do what, as a table for people."""

import re

import make
import pytest

from daytwo_server.accounts import permissions
from daytwo_server.accounts.models import Membership

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


def test_every_action_is_there_in_words_with_its_scope_and_who_may(signed_in):
    page = signed_in(make.member("Vera")).get("/settings/permissions/").text
    for row in permissions.table():
        line = page.partition(f'<span class="mono">{row.name}</span>')[2].partition("</tr>")[0]
        cells = re.findall(r"<td[^>]*>(.*?)</td>", line, re.DOTALL)
        assert ['aria-label="yes"' in cell for cell in cells] == [role in row.roles for role in Membership.Role], (
            row.name
        )
        assert row.needs in line
        assert row.text in page


@pytest.mark.parametrize("role", list(Membership.Role))
def test_the_viewers_own_role_is_marked(signed_in, role):
    page = signed_in(make.member("Vera", role=role)).get("/settings/permissions/").text
    assert f"Your role is {role.label}." in page
    assert set(re.findall(r"<th[^>]*>([\w ]+) \(you\)</th>", page)) == {role.label}


def test_the_table_costs_no_query_of_its_own(signed_in, django_assert_num_queries):
    client = signed_in(make.member("Vera"))
    with django_assert_num_queries(2):  # session and viewer
        page = client.get("/settings/permissions/").text
    assert len(page) < 60_000
