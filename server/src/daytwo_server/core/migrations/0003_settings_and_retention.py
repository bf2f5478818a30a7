import daytwo_server.core.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0002_search_titles'),
    ]

    operations = [
        migrations.CreateModel(
            name='Holding',
            fields=[
                ('kind', models.CharField(max_length=50, primary_key=True, serialize=False)),
                ('rows', models.BigIntegerField(default=0)),
                ('bytes', models.BigIntegerField(default=0)),
                ('oldest', models.DateTimeField(null=True)),
                ('measured_at', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('removed', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Setting',
            fields=[
                ('name', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('value', models.TextField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('changed_at', models.DateTimeField(default=daytwo_server.core.clock.now)),
                ('changed_by', models.BigIntegerField(null=True)),
            ],
        ),
    ]
