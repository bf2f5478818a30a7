from daytwo_server.core.facts import reaction
from daytwo_server.customers.facts import CustomerPlanChanged
from daytwo_server.sla import jobs


@reaction(CustomerPlanChanged)
def promise_a_customer_what_their_plan_says(fact: CustomerPlanChanged) -> None:
    jobs.recompute_customer_later(fact.customer)
