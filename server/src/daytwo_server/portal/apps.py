from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "daytwo_server.portal"
    label = "portal"

    def ready(self) -> None:
        from daytwo_server.portal import addresses
        from daytwo_server.portal.services import asking
        from daytwo_server.tickets import capability
        from daytwo_server.tickets.services import outgoing

        capability.leads_to(addresses.of_token)
        outgoing.also_about_tickets(asking.ABOUT)
