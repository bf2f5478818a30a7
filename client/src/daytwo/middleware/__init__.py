"""Puts a scope around each request of an ASGI or WSGI app, and writes one line for it."""

from daytwo.middleware.asgi import AsgiMiddleware
from daytwo.middleware.wsgi import WsgiMiddleware

__all__ = ["AsgiMiddleware", "WsgiMiddleware", "asgi", "wsgi"]

asgi = AsgiMiddleware
wsgi = WsgiMiddleware
