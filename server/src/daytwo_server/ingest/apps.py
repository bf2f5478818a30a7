from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "daytwo_server.ingest"
    label = "ingest"
