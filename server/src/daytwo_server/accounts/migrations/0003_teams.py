import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import daytwo_server.core.clock


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_members_and_sessions")]

    operations = [
        migrations.CreateModel(
            name="Team",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("address", models.EmailField(blank=True, default="", max_length=254)),
                ("created_at", models.DateTimeField(default=daytwo_server.core.clock.now)),
                ("archived_at", models.DateTimeField(null=True)),
                ("members", models.ManyToManyField(related_name="teams", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("archived_at", None)),
                        name="team_name_once",
                    )
                ],
            },
        ),
    ]
