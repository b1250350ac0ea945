"""What was there before the platform was whole goes on as it was."""

import functools

from django.db import migrations, models

from studyserver.models.people import new_withdrawal_code
from studyserver.rules import default_rules


def _carry_over(apps, schema_editor):
    """Studies that were there keep the sessions that they had: one practice pair, one verification pair, no more.

    Everything was side by side, whatever its size, and nothing asked for enough clips. Who was at the practice pair
    was in the state that now means the pairs after it.
    """
    model = functools.partial(apps.get_model, "studyserver")
    model("Study").objects.update(
        training_pairs=1,
        quiz_questions=0,
        verification_pairs=1,
        repeat_pairs=0,
        null_pairs=0,
        questionnaire=False,
        check_environment=False,
        presentation="side-by-side",
        interval_width=0,
    )
    for study in model("Study").objects.all():
        model("ConsentText").objects.create(study=study, version=study.consent_version, text=study.consent_text)
        for purpose, values in default_rules().items():
            model("Rule").objects.create(study=study, purpose=purpose, version=1, settings=values)
    sessions = model("Session").objects
    sessions.filter(state="consented").update(state="instructions")
    sessions.update(ended_at=models.F("completed_at"), first_pair_at=models.F("started_at"))
    practice = model("Trial").objects.filter(kind="training", state="claimed", vote=None)
    sessions.filter(state="active", pk__in=practice.values("session")).update(state="training", first_pair_at=None)
    for session in sessions.all():
        session.withdrawal_code = new_withdrawal_code()
        session.save(update_fields=["withdrawal_code"])


class Migration(migrations.Migration):
    dependencies = [("studyserver", "0003_platform")]

    operations = [migrations.RunPython(_carry_over, migrations.RunPython.noop)]
