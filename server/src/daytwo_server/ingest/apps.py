from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "daytwo_server.ingest"
    label = "ingest"

    def ready(self) -> None:
        from daytwo_server.ingest.backup import SpoolPart
        from daytwo_server.operate.backup import parts

        parts.register(SpoolPart())
