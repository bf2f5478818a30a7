from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("flags", "0001_initial")]

    operations = [migrations.AddField("segment", "revision", models.BigIntegerField(default=0, db_default=0))]
