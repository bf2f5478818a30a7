"""`/api/v1/customers`: what a customer may demand of us."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router, Schema, Status
from ninja.errors import HttpError

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.core import audit, longjson
from daytwo_server.core.ref import Ref
from daytwo_server.customers import exports, selectors, services
from daytwo_server.customers.models import Customer

router = Router(tags=["Customers"])


class ErasedOut(Schema):
    """How far an erasure is. `finishedAt` is null until nothing of the customer is left on disk."""

    id: int
    erasedAt: dt.datetime  # noqa: N815 - the reference's spelling
    finishedAt: dt.datetime | None  # noqa: N815
    detail: str


@router.get("/customers/{code}/export", auth=BearerToken("customers.export"))
def export_customer(request: HttpRequest, code: str) -> StreamingHttpResponse:
    """All that is known about a customer, by our id or the SaaS's own (`userId`), as a JSON file."""
    customer = _find(code)
    document = longjson.chunks(exports.of_customer(customer))
    actor = request.auth  # type: ignore[attr-defined]
    audit.record("customers:customer:exported", actor=actor, ref=Ref("customer", customer.pk))
    answer = StreamingHttpResponse(document, content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="customer-{customer.pk}.json"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@router.post("/customers/{code}/erase", response={202: ErasedOut}, auth=BearerToken("customers.erase"))
def erase_customer(request: HttpRequest, code: str) -> Status[ErasedOut]:
    """Forget who this is now; a job takes them out of errors, tickets, mail and files, and then off the disk. There is
    no undo. One who is erased, by our id, is looked for again.
    """
    customer = selectors.erased_customer(code) or _find(code)
    services.erase(customer, actor=request.auth)  # type: ignore[attr-defined]
    return Status(202, _told(customer.pk))


@router.get("/customers/{code}/erasure", response=ErasedOut, auth=BearerToken("customers.erase"))
def erasure(request: HttpRequest, code: str) -> ErasedOut:
    """How far the erasure of a customer is, by our id."""
    customer = selectors.erased_customer(code)
    if customer is None:
        raise HttpError(404, "No customer with this id was erased.")
    return _told(customer.pk)


def _told(customer: int) -> ErasedOut:
    row = Customer.objects.get(pk=customer)
    assert row.erased_at is not None
    going_on = "Nothing of the customer is left." if row.forgotten_at else "A job removes what is kept; ask again here."
    return ErasedOut(id=row.pk, erasedAt=row.erased_at, finishedAt=row.forgotten_at, detail=going_on)


def _find(code: str) -> Customer:
    found = selectors.customer_called(code)
    if found is None:
        raise HttpError(404, "There is no such customer, or no longer.")
    return found
