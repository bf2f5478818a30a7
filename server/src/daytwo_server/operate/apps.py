from django.apps import AppConfig


class OperateConfig(AppConfig):
    name = "daytwo_server.operate"
    label = "operate"

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.mail import selectors as mails
        from daytwo_server.operate import (
            refs,  # noqa: F401 - registers them
            selectors,
            testmail,  # noqa: F401 - registers it
        )
        from daytwo_server.operate.sections import SECTIONS
        from daytwo_server.ui import nav

        permissions.register("operate.view", roles=permissions.EVERYONE, text="See how this installation is doing")
        permissions.register("settings.manage", roles=permissions.ADMINS, text="Change settings of the installation")
        permissions.register("jobs.manage", roles=permissions.BUILDERS, text="Retry, discard and start jobs")
        permissions.register("backup.manage", roles=permissions.ADMINS, text="See backups and make one")
        permissions.register("audit.view", roles=permissions.ADMINS, text="Read the audit log")
        nav.register_section(
            "Workspace", "Permissions", "operate:permissions", "shield", 30, "settings.view",
            text="Which role may do what",
        )  # fmt: skip
        nav.register_section(
            "Installation", "Ingest health", "operate:ingest", "pulse", 10, "operate.view",
            text="What apps send, what was stored, what was dropped and why",
        )  # fmt: skip
        nav.register_section(
            "Installation", "Jobs", "operate:jobs", "refresh", 20, "operate.view",
            text="What waits, runs and failed for good; what runs by the clock",
        )  # fmt: skip
        nav.count("operate:jobs", selectors.dead_letters, "dead letters")
        # Their words are customers': to see that mail is stuck, nobody needs them.
        agents = permissions.ADMINS | {permissions.Role.AGENT}
        permissions.register("mail.view", roles=agents, text="Read mail as it came, and see to whom it went")
        permissions.register("mail.manage", roles=agents, text="Replay, discard and resend mail")
        nav.register_section(
            "Installation", "Mail in and out", "operate:mail", "mail", 25, "operate.view",
            text="What waits, could not be read, failed or bounced",
        )  # fmt: skip
        nav.count("operate:mail", mails.awaiting_a_decision, "mails that wait for a decision")
        nav.register_section(
            "Installation",
            "Facts",
            "operate:facts",
            "bolt",
            30,
            "operate.view",
            text="What happened, and what followed",
        )
        nav.register_section(
            "Installation", "Audit log", "operate:audit", "report", 40, "audit.view", text="Who changed what"
        )
        nav.register_history("operate:audit")
        nav.register_section(
            "Installation", "Backup", "operate:backup", "archive", 50, "backup.manage",
            text="Whether everything could be restored, and from when",
        )  # fmt: skip
        for one in SECTIONS:
            nav.register_section(
                one.group, one.label, one.url_name, one.icon, one.order, "settings.view", text=one.text
            )
