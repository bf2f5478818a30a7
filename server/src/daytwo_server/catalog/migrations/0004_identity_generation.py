from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_server_keys")]

    operations = [
        migrations.AddField("project", "identity_generation", models.PositiveIntegerField(default=0, db_default=0)),
        migrations.AddField("project", "identity_overlaps_until", models.DateTimeField(null=True)),
    ]
