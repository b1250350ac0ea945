"""What holds from now on, after the data were carried over."""

from django.db import migrations, models

import studyserver.models.people


class Migration(migrations.Migration):
    dependencies = [("studyserver", "0004_carry_over")]

    operations = [
        migrations.AlterField(
            model_name="session",
            name="withdrawal_code",
            field=models.CharField(
                default=studyserver.models.people.new_withdrawal_code, editable=False, max_length=24, unique=True
            ),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.CheckConstraint(
                condition=models.Q(("origin__in", ["real", "pilot", "preview", "simulated"])), name="participant_origin"
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "instructions",
                            "setup",
                            "calibration",
                            "training",
                            "quiz",
                            "active",
                            "questionnaire",
                            "completed",
                            "screened-out",
                            "full",
                            "technical",
                        ],
                    )
                ),
                name="session_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="study",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["draft", "pilot", "open", "paused", "closed"])), name="study_status"
            ),
        ),
        migrations.AddConstraint(
            model_name="trial",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["free", "claimed", "answered", "expired", "surplus"])),
                name="trial_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="trial",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "test"),
                    models.Q(("number", None), ("state__in", ["claimed", "answered", "expired", "surplus"])),
                    _connector="OR",
                ),
                name="trial_place_only_for_tests",
            ),
        ),
        migrations.AddConstraint(
            model_name="trial",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["expired", "surplus"]), _negated=True),
                fields=("pair", "origin", "number"),
                name="trial_place_held_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="trial",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "training"), _negated=True),
                fields=("session", "position"),
                name="trial_position_in_session",
            ),
        ),
        migrations.AddConstraint(
            model_name="trial",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "training")),
                fields=("session", "position", "attempt"),
                name="trial_position_in_training",
            ),
        ),
        migrations.AddConstraint(
            model_name="consenttext",
            constraint=models.UniqueConstraint(fields=("study", "version"), name="consent_version_in_study"),
        ),
        migrations.AddConstraint(
            model_name="exclusion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at__isnull", True)), fields=("participant",), name="exclusion_in_force_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.UniqueConstraint(fields=("study", "purpose", "version"), name="rule_version_in_study"),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.CheckConstraint(condition=models.Q(("purpose__in", ["pay", "use"])), name="rule_purpose"),
        ),
    ]
