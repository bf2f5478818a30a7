"""What signing in asks for after the password."""

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.stages import LoginStage
from allauth.core.internal.httpkit import headed_redirect_response
from django.http import HttpResponse

from daytwo_server.accounts import selectors


class SecondFactorStage(LoginStage):  # type: ignore[misc]  # allauth has no types
    """Asks for the second factor of whoever has one. A passkey that let somebody in alone was two factors already.

    allauth's own stage does the same and loads the passkey library, with the whole public suffix list, for everybody.
    """

    key = "mfa_authenticate"
    urlname = "second_factor"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user = self.login.user
        if user is None or not selectors.has_second_factor(user):
            return None, True
        if any(record.get("passwordless") for record in get_authentication_records(self.request, user)):
            return None, True
        # What another service told, its token among it, has no business in the session: nobody asks for it later.
        self.login.signal_kwargs = None
        # Whoever planted this browser's session must not find themselves past the password with it.
        self.request.session.cycle_key()
        return headed_redirect_response("second_factor"), True
