from django.apps import AppConfig


class RolloutsConfig(AppConfig):
    name = "daytwo_server.rollouts"
    label = "rollouts"

    def ready(self) -> None:
        from daytwo_server.errors.services import flagged
        from daytwo_server.flags.services import exposures
        from daytwo_server.rollouts import selectors

        flagged.watch(selectors.watched)
        exposures.watch(selectors.watched_in)
