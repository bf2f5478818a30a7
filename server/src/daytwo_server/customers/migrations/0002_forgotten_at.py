from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [migrations.AddField("customer", "forgotten_at", models.DateTimeField(null=True))]
