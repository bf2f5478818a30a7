from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "daytwo_server.customers"
    label = "customers"

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.customers import refs  # noqa: F401 - registers them
        from daytwo_server.desk import palette
        from daytwo_server.ui import nav

        permissions.register("customers.view", roles=permissions.EVERYONE, text="See customers")
        permissions.register("customers.erase", roles=permissions.ADMINS, text="Erase what is known about a customer")
        permissions.register("customers.export", roles=permissions.ADMINS, text="Export all that is known of somebody")
        palette.register_kind("customer", "Customers", "customers.view", "users")
        nav.register("Support", "Customers", "customers:list", "users", "c", 20, "customers.view")
