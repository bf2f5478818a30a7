"""An OpenID Connect issuer and a GitHub on sockets, which check what they are sent as the real ones do.

Whatever is not as the protocol says is refused with 400 and noted in `complaints`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "daytwo-client", "s3cret/with+signs&more="
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGERS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Refusal(Exception):
    """400, and a complaint."""


class Provider:
    """What both have in common: codes that work once, for one client, address and verifier."""

    authorize_path = token_path = ""

    def __init__(self, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri
        self.complaints: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, dict[str, str]] = {}
        self.requests: list[str] = []
        self.broken: dict[str, tuple[int, str]] = {}  # path: what it answers instead
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.handle(self, b"")

            def do_POST(self) -> None:
                outer.handle(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def handle(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        parts = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        form = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        self.requests.append(parts.path)
        headers = {}
        try:
            if parts.path in self.broken:
                status, text = self.broken[parts.path]
            elif parts.path == self.authorize_path:
                status, text, headers = 302, "", {"Location": self.authorize(query)}
            elif parts.path == self.token_path:
                status, text = 200, json.dumps(self.exchange(handler, form))
            else:
                status, text = 200, json.dumps(self.resource(parts.path, handler.headers.get("Authorization", "")))
        except Refusal as refusal:
            self.complaints.append(f"{parts.path}: {refusal}")
            status, text = 400, json.dumps({"error": "invalid_request", "error_description": str(refusal)})
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(text.encode())

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent: the person has signed in here and agreed."""
        check(query.get("client_id") == CLIENT_ID, "unknown client")
        check(query.get("redirect_uri") == self.redirect_uri, f"not registered: {query.get('redirect_uri')}")
        check(query.get("response_type") == "code", "no code asked for")
        check(len(query.get("state", "")) >= 16, "state is missing or short")
        check(query.get("code_challenge_method") == "S256" and len(query.get("code_challenge", "")) == 43, "no PKCE")
        self.check_authorization(query)
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{self.redirect_uri}?{urllib.parse.urlencode({'code': code, 'state': query['state']})}"

    def check_authorization(self, query: dict[str, str]) -> None: ...

    def exchange(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> dict[str, Any]:
        check(handler.command == "POST", "codes are exchanged by POST")
        check((form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET), "wrong client secret")
        asked = self.codes.pop(form.get("code", ""), None)
        check(asked is not None, "unknown code, or used already")
        check(form.get("redirect_uri") == self.redirect_uri, "another redirect_uri than before")
        check(form.get("grant_type") == "authorization_code", "wrong grant type")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        check(challenge == asked["code_challenge"], "the verifier does not fit the challenge")
        token = secrets.token_urlsafe(16)
        self.tokens[token] = asked
        return {"access_token": token, "token_type": "Bearer"} | self.more(asked)

    def more(self, asked: dict[str, str]) -> dict[str, Any]:
        return {}

    def resource(self, path: str, authorization: str) -> Any:
        raise Refusal("nothing is there")


class Issuer(Provider):
    """Keycloak-like: below a path, client secret in the form, RS256."""

    authorize_path, token_path = "/realms/main/auth", "/realms/main/token"

    def __init__(self, redirect_uri: str) -> None:
        super().__init__(redirect_uri)
        self.issuer = f"{self.url}/realms/main"
        self.claims: dict[str, Any] = {}  # of the id token, over what is right; None leaves one out
        self.userinfo: dict[str, Any] = {}
        self.key, self.algorithm, self.kid = _KEY, "RS256", "key-1"

    def check_authorization(self, query: dict[str, str]) -> None:
        check("openid" in query.get("scope", "").split(), "scope lacks openid")
        check(len(query.get("nonce", "")) >= 22, "nonce is missing or short")

    def more(self, asked: dict[str, str]) -> dict[str, Any]:
        right = {
            "iss": self.issuer, "sub": "u-1", "aud": CLIENT_ID, "iat": int(time.time()), "exp": int(time.time()) + 300,
            "nonce": asked["nonce"], "email": "alice@example.com", "email_verified": True, "name": "Alice Elsewhere",
        }  # fmt: skip
        claims = {name: value for name, value in (right | self.claims).items() if value is not None}
        key = "" if self.algorithm == "none" else self.key
        headers = {"kid": self.kid} if self.kid else {}
        return {"id_token": jwt.encode(claims, key, algorithm=self.algorithm, headers=headers)}

    def resource(self, path: str, authorization: str) -> Any:
        if path == "/realms/main/.well-known/openid-configuration":
            return {
                "issuer": self.issuer, "authorization_endpoint": f"{self.url}{self.authorize_path}",
                "token_endpoint": f"{self.url}{self.token_path}", "jwks_uri": f"{self.url}/realms/main/certs",
                "userinfo_endpoint": f"{self.url}/realms/main/userinfo",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            }  # fmt: skip
        if path == "/realms/main/certs":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_KEY.public_key()))
            return {"keys": [public | {"kid": "key-1", "alg": "RS256", "use": "sig"}]}
        check(path == "/realms/main/userinfo", "nothing is there")
        check(authorization.removeprefix("Bearer ") in self.tokens, "unknown access token")
        return {"sub": "u-1"} | self.userinfo


class GitHub(Provider):
    """A GitHub Enterprise Server: its API is below /api/v3."""

    authorize_path, token_path = "/login/oauth/authorize", "/login/oauth/access_token"

    def __init__(self, redirect_uri: str) -> None:
        super().__init__(redirect_uri)
        self.user: dict[str, Any] = {"id": 7, "login": "octo-alice", "name": "Alice Elsewhere", "email": None}
        self.emails: Any = [{"email": "alice@example.com", "primary": True, "verified": True}]

    def check_authorization(self, query: dict[str, str]) -> None:
        check(query.get("scope") == "user:email", "more is asked for than addresses")

    def resource(self, path: str, authorization: str) -> Any:
        check(authorization.removeprefix("token ") in self.tokens, "unknown access token")
        found = {"/api/v3/user": self.user, "/api/v3/user/emails": self.emails}
        check(path in found, "nothing is there")
        return found[path]


def check(right: bool, words: str) -> None:
    if not right:
        raise Refusal(words)
