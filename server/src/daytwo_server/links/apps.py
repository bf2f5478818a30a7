from django.apps import AppConfig


class LinksConfig(AppConfig):
    name = "daytwo_server.links"
    label = "links"

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.accounts.models import Membership

        everyone_but_viewers = permissions.EVERYONE - {Membership.Role.VIEWER}
        permissions.register("links.manage", roles=everyone_but_viewers, text="Link things that belong together")
