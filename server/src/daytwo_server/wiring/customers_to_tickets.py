from daytwo_server.core.facts import reaction
from daytwo_server.customers.facts import CustomerErased
from daytwo_server.tickets import jobs


@reaction(CustomerErased)
def forget_what_an_erased_customer_said(fact: CustomerErased) -> None:
    """Their tickets stay as empty rows for reports; the words and files are gone."""
    jobs.forget_later(fact.customer)
