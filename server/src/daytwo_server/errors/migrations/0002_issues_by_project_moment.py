from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('errors', '0001_initial'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='issue',
            index=models.Index(fields=['project', '-first_seen', '-id'], name='issue_project_first'),
        ),
        migrations.AddIndex(
            model_name='issue',
            index=models.Index(fields=['project', 'first_release', '-id'], name='issue_project_release'),
        ),
        migrations.AddIndex(
            model_name='issue',
            index=models.Index(condition=models.Q(('regressed_at__isnull', False)), fields=['project', '-regressed_at', '-id'], name='issue_project_regressed'),
        ),
    ]
