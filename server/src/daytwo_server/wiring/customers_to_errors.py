from daytwo_server.core.facts import reaction
from daytwo_server.customers.facts import CustomerErased
from daytwo_server.errors import jobs


@reaction(CustomerErased)
def forget_the_events_of_an_erased_customer(fact: CustomerErased) -> None:
    """Events keep counting; who they happened to is gone."""
    jobs.forget_later(fact.customer)
