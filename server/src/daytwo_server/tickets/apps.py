from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "daytwo_server.tickets"
    label = "tickets"

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.customers import exports
        from daytwo_server.desk import palette
        from daytwo_server.desk.services import when_begun
        from daytwo_server.tickets import (
            hooks,
            refs,  # noqa: F401 - registers them
        )
        from daytwo_server.tickets.selectors import export, inbox
        from daytwo_server.tickets.services import take_by_writing
        from daytwo_server.ui import nav

        agents = permissions.ADMINS | {permissions.Role.AGENT}
        permissions.register("tickets.view", roles=permissions.EVERYONE, text="See tickets and what is said in them")
        permissions.register(
            "tickets.reply",
            roles=permissions.EVERYONE - {permissions.Role.VIEWER},
            text="Answer customers and write internal notes",
        )
        permissions.register("tickets.manage", roles=agents, text="Change, assign and merge tickets")
        permissions.register(
            "tickets.share_replies", roles=agents, text="Share saved replies with everybody, and change shared ones"
        )
        exports.register("tickets", export.of_customer)
        exports.register("messagesElsewhere", export.elsewhere)
        palette.register_kind("ticket", "Tickets", "tickets.view", "inbox", prefix="T")
        palette.register_command(
            "tickets.open", "New ticket", action="tickets.reply", icon="plus", url_name="tickets:new",
            keywords="open create phone call support customer",
        )  # fmt: skip
        permissions.register("reports.view", roles=permissions.EVERYONE, text="See reports")
        nav.register("Operate", "Reports", "tickets:support", "report", "r", 60, "reports.view")
        nav.register("Support", "Tickets", "tickets:list", "inbox", "t", 10, "tickets.view", tab=40)
        nav.register_section(
            "Workspace", "Saved replies", "tickets:replies", "send", 28, "tickets.reply",
            text="Answers that are given often",
        )  # fmt: skip
        when_begun(take_by_writing)
        hooks.register()
        nav.count("tickets:list", inbox.waiting, "whose customer waits for an answer")
