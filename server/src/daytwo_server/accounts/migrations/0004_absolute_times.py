from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_teams")]

    operations = [
        migrations.AddField("user", "absolute_times", models.BooleanField(db_default=False, default=False)),
    ]
