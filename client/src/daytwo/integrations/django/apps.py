"""`daytwo.integrations.django` in INSTALLED_APPS, for the template tags; everything else works without."""

from django.apps import AppConfig


class DaytwoConfig(AppConfig):
    """No models and no checks."""

    name = "daytwo.integrations.django"
    label = "daytwo"
    verbose_name = "Daytwo"
