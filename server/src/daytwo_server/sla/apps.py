from django.apps import AppConfig


class SlaConfig(AppConfig):
    name = "daytwo_server.sla"
    label = "sla"

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.sla import (
            jobs,  # noqa: F401 - registers them
            refs,  # noqa: F401 - registers them
            selectors,
        )
        from daytwo_server.tickets import promises
        from daytwo_server.tickets.selectors import matching
        from daytwo_server.ui import nav

        permissions.register("sla.view", roles=permissions.EVERYONE, text="See what is promised to customers")
        permissions.register("sla.manage", roles=permissions.ADMINS, text="Change what is promised to customers")
        promises.register(selectors.promises)
        matching.state("breached", selectors.breached)
        matching.state("at-risk", selectors.at_risk)
        nav.register_section(
            "Workspace", "Promises (SLA)", "sla:list", "gauge", 55, "sla.view",
            text="How fast tickets are answered and resolved",
        )  # fmt: skip
