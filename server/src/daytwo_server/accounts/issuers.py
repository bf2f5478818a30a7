"""GitHub and OpenID Connect as allauth speaks them, with what it leaves out: signature, nonce, issuer, one callback.

Loaded when somebody comes by one of them, and no sooner: with the libraries for HTTP and cryptography it takes 17 MB.
"""

import base64
import hashlib
from typing import Any

import jwt
from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers.github.provider import GitHubProvider
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse

from daytwo_server.accounts.http import absolute
from daytwo_server.accounts.identities import GITHUB, OIDC
from daytwo_server.core import conf

# Signatures that only the holder of a private key can make: with the others, whoever knows the public key could.
_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
_CLOCKS_DIFFER_S = 60
_DISCOVERY_KEPT_S = 600


class _OurAddress:
    """The provider leads people back to the configured address, whatever host the request named."""

    provider_id: str

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return absolute(reverse("sign_in_with_callback", args=[self.provider_id]))


class GitHubAdapter(_OurAddress, GitHubOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        web = conf.current().github_url
        api = "https://api.github.com" if web == "https://github.com" else f"{web}/api/v3"
        self.access_token_url, self.authorize_url = f"{web}/login/oauth/access_token", f"{web}/login/oauth/authorize"
        self.profile_url, self.emails_url = f"{api}/user", f"{api}/user/emails"


class GitHub(GitHubProvider):  # type: ignore[misc]
    oauth2_adapter_class = GitHubAdapter

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Of all that GitHub tells, only what the account is called on the page that lists it."""
        return {"label": str(data.get("login") or data["id"])}


class OidcAdapter(_OurAddress, OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """One sign-in at the issuer."""

    _nonce = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the issuer says about itself. Kept for ten minutes: strangers who press the button cost no request."""
        wanted = conf.current().oidc_url
        config: dict[str, Any] | None = cache.get(f"daytwo:oidc:{wanted}")
        if config is None:
            config = dict(super().openid_config)
            if str(config["issuer"]).rstrip("/") != wanted:
                raise OAuth2Error("The issuer calls itself otherwise than DAYTWO_OIDC_URL does")
            cache.set(f"daytwo:oidc:{wanted}", config, _DISCOVERY_KEPT_S)
        return config

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        self._nonce = _nonce_of(str(pkce_code_verifier))
        return dict(super().get_access_token_data(request, app, client, pkce_code_verifier=pkce_code_verifier))

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> Any:
        """Who it was, by the signed token; the rest is asked for where that names no address. Raises `OAuth2Error`."""
        claims = self._claims(app, kwargs["response"]["id_token"])
        if "email" not in claims:
            told = self._fetch_user_info(token.token)
            if told["sub"] != claims["sub"]:
                raise OAuth2Error("The issuer tells of somebody else than it signed")
            claims = told | claims
        return self.get_provider().sociallogin_from_response(request, claims)

    def _claims(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        """What the token says, if the issuer signed it, for us, for this very sign-in."""
        try:
            key = self._signing_key(id_token)
            claims: dict[str, Any] = jwt.decode(
                id_token, key=key.key, algorithms=[key.algorithm_name], audience=app.client_id,
                issuer=self.openid_config["issuer"], leeway=_CLOCKS_DIFFER_S,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )  # fmt: skip
        except jwt.PyJWTError as problem:
            raise OAuth2Error(f"The id token is not acceptable: {type(problem).__name__}") from problem
        if claims.get("nonce") != self._nonce:
            raise OAuth2Error("The id token is of another sign-in")
        if claims.get("azp", app.client_id) != app.client_id:
            raise OAuth2Error("The id token is for another program")
        return claims

    def _signing_key(self, id_token: str) -> jwt.PyJWK:
        """The issuer's key that the token names; its only one where the token names none."""
        named = jwt.get_unverified_header(id_token).get("kid")
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        usable = [k for k in keys if k.algorithm_name in _ALGORITHMS and k.public_key_use in {None, "sig"}]
        fitting = [key for key in usable if key.key_id == named] if named else usable
        if len(fitting) != 1:
            raise OAuth2Error("The issuer has no such key")
        return fitting[0]


class Oidc(OpenIDConnectProvider):  # type: ignore[misc]
    id = OIDC
    oauth2_adapter_class = OidcAdapter

    def get_pkce_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_pkce_params()
        return params | {"nonce": _nonce_of(params["code_verifier"])}

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"label": str(data.get("preferred_username") or data.get("email") or data["sub"])[:200]}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        """Some issuers write true as a text, and "false" is a text too."""
        verified = data.get("email_verified") in (True, "true")
        return [EmailAddress(email=data["email"], verified=verified, primary=True)] if data.get("email") else []


def _nonce_of(code_verifier: str) -> str:
    """Bound to this sign-in by what only the visitor's session holds, so that it needs no place of its own there."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"nonce {code_verifier}".encode()).digest()).rstrip(b"=").decode()


PROVIDERS = {GITHUB: GitHub, OIDC: Oidc}
