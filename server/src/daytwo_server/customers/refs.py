"""How customers are named where other rooms link to them."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from daytwo_server.core.ref import Ref, resolver
from daytwo_server.customers.models import Customer


@resolver("customer")
def customers(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {
        str(customer.pk): Ref("customer", customer.pk, customer.title, reverse("customers:detail", args=[customer.pk]))
        for customer in Customer.objects.filter(pk__in=ids)
    }
