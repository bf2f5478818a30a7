from django.apps import AppConfig


class CalendarsConfig(AppConfig):
    name = "daytwo_server.calendars"
    label = "calendars"

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.calendars import refs  # noqa: F401 - registers them
        from daytwo_server.ui import nav

        permissions.register("calendars.view", roles=permissions.EVERYONE, text="See business calendars")
        permissions.register("calendars.manage", roles=permissions.ADMINS, text="Change business calendars")
        nav.register_section(
            "Workspace", "Calendars", "calendars:list", "clock", 50, "calendars.view",
            text="When people work: hours, time zones, holidays",
        )  # fmt: skip
