"""How customers are named where other rooms link to them, and by which words they are found."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from daytwo_server.core import search
from daytwo_server.core.ref import Ref, resolver
from daytwo_server.customers.models import Customer


@resolver("customer")
def customers(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {
        str(customer.pk): Ref("customer", customer.pk, customer.title, reverse("customers:detail", args=[customer.pk]))
        for customer in Customer.objects.filter(pk__in=ids)
    }


def words(customer: Customer) -> tuple[str, str]:
    """Title and further words, for the search index. They are personal: an erasure takes them out of it."""
    organization = customer.organization.name if customer.organization else ""
    return customer.title, f"{customer.email} {customer.user_id} {organization}"


search.source("customer", lambda: Customer.objects.filter(erased_at=None).select_related("organization"), words)
