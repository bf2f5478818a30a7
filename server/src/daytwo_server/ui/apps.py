from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "daytwo_server.ui"
    label = "ui"
