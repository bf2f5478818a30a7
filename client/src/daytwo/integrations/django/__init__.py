"""Django: `daytwo.integrations.django.Middleware` first in MIDDLEWARE, and `daytwo.integrations.django.urls`."""

from daytwo.integrations.django.middleware import Middleware

__all__ = ["Middleware"]
