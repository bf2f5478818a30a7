from django.db import migrations, models


class Migration(migrations.Migration):
    """The version before does not name the column when it writes a mail."""

    dependencies = [("mail", "0002_what_providers_tell")]

    operations = [
        migrations.AlterField("delivery", "provider_id", models.CharField(db_default="", default="", max_length=255)),
    ]
