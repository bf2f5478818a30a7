"""`/api/v1/customers`: what a customer may demand of us."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from ninja.errors import HttpError

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.core import audit
from daytwo_server.core.ref import Ref
from daytwo_server.customers import exports, selectors, services
from daytwo_server.customers.models import Customer

router = Router(tags=["Customers"])


class ErasedOut(Schema):
    """The customer's id, which stays; `detail` says what goes on."""

    id: int
    detail: str


@router.get("/customers/{code}/export", auth=BearerToken("customers.export"))
def export_customer(request: HttpRequest, code: str) -> HttpResponse:
    """All that is known about a customer, by our id or the SaaS's own (`userId`), as a JSON file."""
    customer = _find(code)
    body = msgspec.json.encode(exports.of_customer(customer))
    actor = request.auth  # type: ignore[attr-defined]
    audit.record("customers:customer:exported", actor=actor, ref=Ref("customer", customer.pk))
    answer = HttpResponse(body, content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="customer-{customer.pk}.json"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@router.post("/customers/{code}/erase", response={202: ErasedOut}, auth=BearerToken("customers.erase"))
def erase_customer(request: HttpRequest, code: str) -> Status[ErasedOut]:
    """Forget who this is now; jobs take them out of errors, tickets and files. There is no undo."""
    customer = _find(code)
    services.erase(customer, actor=request.auth)  # type: ignore[attr-defined]
    words = "The customer is erased; what other rooms keep about them goes with the jobs that are on their way."
    return Status(202, ErasedOut(id=customer.pk, detail=words))


def _find(code: str) -> Customer:
    found = selectors.customer_called(code)
    if found is None:
        raise HttpError(404, "There is no such customer, or no longer.")
    return found
