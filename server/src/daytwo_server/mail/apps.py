from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "daytwo_server.mail"
    label = "mail"
