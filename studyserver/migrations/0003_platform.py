"""The study platform in full: steps of a session, outcomes, rules, exclusions, invitations, withdrawal."""

import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import studyserver.models.people
import studyserver.models.study_settings


class Migration(migrations.Migration):
    dependencies = [
        ("studyserver", "0002_matches_and_speed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["study", "version"],
            },
        ),
        migrations.CreateModel(
            name="Exclusion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=300)),
                ("author", models.CharField(blank=True, max_length=150)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lifted_by", models.CharField(blank=True, max_length=150)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalStudy",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "consent_text",
                    models.TextField(
                        default=studyserver.models.study_settings.default_consent,
                        help_text="Blank lines separate paragraphs.",
                    ),
                ),
                (
                    "consent_version",
                    models.PositiveIntegerField(
                        default=1, editable=False, help_text="Counts changes of the consent text."
                    ),
                ),
                (
                    "withdrawal",
                    models.CharField(
                        choices=[
                            ("delete", "delete the answers"),
                            ("anonymise", "keep the answers, cut every tie to the person"),
                        ],
                        default="delete",
                        help_text="What a participant's withdrawal code does.",
                        max_length=10,
                    ),
                ),
                (
                    "training_pairs",
                    models.PositiveIntegerField(
                        default=3,
                        help_text="Practice pairs with feedback, each until right; 0 for none.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(10),
                        ],
                    ),
                ),
                (
                    "training_attempts",
                    models.PositiveIntegerField(
                        default=5,
                        help_text="Wrong answers to one practice pair after which a person is screened out; 0 for no limit.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(50),
                        ],
                    ),
                ),
                (
                    "quiz_questions",
                    models.PositiveIntegerField(
                        default=3,
                        help_text="Questions about the instructions, scored on the server; 0 for none.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(4),
                        ],
                    ),
                ),
                (
                    "quiz_attempts",
                    models.PositiveIntegerField(
                        default=2,
                        help_text="Tries at the quiz before a person is screened out.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10),
                        ],
                    ),
                ),
                (
                    "pairs_per_session",
                    models.PositiveIntegerField(
                        default=18,
                        help_text="Test pairs that one participant sees.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(200),
                        ],
                    ),
                ),
                (
                    "verification_pairs",
                    models.PositiveIntegerField(
                        default=2,
                        help_text="Hidden pairs with an obvious answer in a session.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(20),
                        ],
                    ),
                ),
                (
                    "repeat_pairs",
                    models.PositiveIntegerField(
                        default=1,
                        help_text="Test pairs shown a second time with sides exchanged, in a session.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(20),
                        ],
                    ),
                ),
                (
                    "null_pairs",
                    models.PositiveIntegerField(
                        default=1,
                        help_text="Pairs of one and the same video in a session.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(20),
                        ],
                    ),
                ),
                ("questionnaire", models.BooleanField(default=True, verbose_name="short questionnaire at the end")),
                (
                    "max_minutes",
                    models.PositiveIntegerField(
                        default=25,
                        help_text="After so long a session ends with the pair on the screen.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(240),
                        ],
                    ),
                ),
                (
                    "votes_per_pair",
                    models.PositiveIntegerField(
                        default=10,
                        help_text="Quota: different people per pair.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(2000),
                        ],
                    ),
                ),
                (
                    "sampling",
                    models.CharField(
                        choices=[
                            ("balanced", "balanced: the pairs with the fewest votes first"),
                            ("adaptive", "adaptive: where a vote tells most about the ranking"),
                        ],
                        default="balanced",
                        max_length=10,
                        verbose_name="choice of pairs",
                    ),
                ),
                (
                    "lease_minutes",
                    models.PositiveIntegerField(
                        default=30,
                        help_text="Without a sign of a participant for so long, the places are free again.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                    ),
                ),
                (
                    "seed",
                    models.PositiveBigIntegerField(
                        default=0, help_text="Sessions draw their order from this and their own number."
                    ),
                ),
                (
                    "presentation",
                    models.CharField(
                        choices=[
                            ("auto", "side by side up to the largest width below, else in the same place"),
                            ("side-by-side", "side by side"),
                            ("sequential", "one after the other"),
                            ("toggle", "in the same place, switched by the participant"),
                        ],
                        default="auto",
                        max_length=12,
                    ),
                ),
                (
                    "max_side_width",
                    models.PositiveIntegerField(
                        default=960,
                        help_text="Widest video, in pixels, that is shown side by side where the presentation is chosen by size.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(8192),
                        ],
                    ),
                ),
                (
                    "fallback",
                    models.CharField(
                        choices=[
                            ("sequential", "show one after the other"),
                            ("none", "end the session: thanks, and the code for technical problems"),
                        ],
                        default="sequential",
                        max_length=12,
                        verbose_name="where two videos cannot be kept in step",
                    ),
                ),
                (
                    "sync_attempts",
                    models.PositiveIntegerField(
                        default=2,
                        help_text="Times a pair out of step is played again before that.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(10),
                        ],
                    ),
                ),
                ("allow_tie", models.BooleanField(default=True, verbose_name="offer “no visible difference”")),
                ("allow_replay", models.BooleanField(default=True, verbose_name="pairs may be watched again")),
                (
                    "check_environment",
                    models.BooleanField(default=True, verbose_name="check screen, browser and connection"),
                ),
                ("allow_mobile", models.BooleanField(default=False, verbose_name="let telephones and tablets in")),
                (
                    "require_exact_pixels",
                    models.BooleanField(
                        default=True,
                        help_text="Refuse a zoom at which a video pixel is no whole number of screen pixels.",
                    ),
                ),
                (
                    "require_smooth",
                    models.BooleanField(
                        default=True,
                        help_text="As the browser itself expects (MediaCapabilities).",
                        verbose_name="require smooth decoding",
                    ),
                ),
                (
                    "min_refresh_hz",
                    models.PositiveIntegerField(
                        default=50,
                        help_text="Slowest screen refresh, in hertz; 0 for any.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "max_load_seconds",
                    models.PositiveIntegerField(
                        default=120,
                        help_text="Longest time that loading a whole session may take; 0 for any.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(3600),
                        ],
                    ),
                ),
                (
                    "calibration",
                    models.CharField(
                        choices=[
                            ("off", "Off"),
                            ("optional", "optional: may be passed over"),
                            ("required", "Required"),
                        ],
                        default="off",
                        max_length=10,
                        verbose_name="screen calibration with a bank card",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[("", "as the participant's browser asks"), ("en", "English"), ("de", "German")],
                        default="",
                        max_length=8,
                    ),
                ),
                (
                    "invitation_only",
                    models.BooleanField(default=False, help_text="Only single-use invitation links let people in."),
                ),
                (
                    "completion_code",
                    models.CharField(
                        default=studyserver.models.study_settings.new_code,
                        help_text="For those who finished.",
                        max_length=40,
                    ),
                ),
                (
                    "screened_out_code",
                    models.CharField(
                        default=studyserver.models.study_settings.new_code,
                        help_text="For those who failed the practice, the quiz or the check of their device.",
                        max_length=40,
                    ),
                ),
                (
                    "no_consent_code",
                    models.CharField(
                        default=studyserver.models.study_settings.new_code,
                        help_text="For those who do not agree to take part.",
                        max_length=40,
                    ),
                ),
                (
                    "full_code",
                    models.CharField(
                        default=studyserver.models.study_settings.new_code,
                        help_text="For those who find no place.",
                        max_length=40,
                    ),
                ),
                (
                    "paused_code",
                    models.CharField(
                        default=studyserver.models.study_settings.new_code,
                        help_text="For those who come while the study is paused, closed or not open yet.",
                        max_length=40,
                    ),
                ),
                (
                    "technical_code",
                    models.CharField(
                        default=studyserver.models.study_settings.new_code,
                        help_text="For those whose device cannot show the videos as it should.",
                        max_length=40,
                    ),
                ),
                (
                    "completion_url",
                    models.URLField(
                        blank=True,
                        help_text="Way back to the recruitment service; {code} in it becomes the code of the outcome.",
                    ),
                ),
                ("currency", models.CharField(default="USD", help_text="Three letters, as in ISO 4217.", max_length=3)),
                (
                    "reward",
                    models.DecimalField(
                        decimal_places=2,
                        default=0,
                        help_text="For a finished session.",
                        max_digits=8,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "partial_reward",
                    models.DecimalField(
                        decimal_places=2,
                        default=0,
                        help_text="For people screened out, turned away after they began, or stopped by a technical problem.",
                        max_digits=8,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "fee_percent",
                    models.DecimalField(
                        decimal_places=2,
                        default=0,
                        max_digits=5,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="fee of the recruitment service, %",
                    ),
                ),
                ("slug", models.SlugField(help_text="Part of the participants' address.")),
                ("title", models.CharField(help_text="Shown to participants.", max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("pilot", "Pilot"),
                            ("open", "Open"),
                            ("paused", "Paused"),
                            ("closed", "Closed"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                (
                    "demonstration",
                    models.BooleanField(
                        default=False,
                        help_text="Simulated votes count like real ones. For trying out, never for research.",
                    ),
                ),
                ("manifest_sha256", models.CharField(blank=True, editable=False, max_length=64)),
                ("target_metric", models.CharField(blank=True, editable=False, max_length=100)),
                ("target_gain", models.FloatField(editable=False, null=True)),
                (
                    "target_linf",
                    models.FloatField(
                        editable=False,
                        help_text="8-bit levels, of a set matched by it.",
                        null=True,
                        verbose_name="target of the largest change",
                    ),
                ),
                (
                    "gain_tolerance",
                    models.FloatField(
                        editable=False,
                        help_text="Share of the target by which a delivered gain may miss it.",
                        null=True,
                    ),
                ),
                (
                    "clip_effect",
                    models.FloatField(
                        default=0.5,
                        help_text="Standard deviation, in logits, by which a condition does better or worse on one clip than on all; 0 where clips are taken to agree.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="spread between clips",
                    ),
                ),
                (
                    "interval_width",
                    models.FloatField(
                        default=0.35,
                        help_text="Of the 95 % interval of the difference between two conditions, in logits; 0 does not ask.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="wanted half-width of an interval",
                    ),
                ),
                (
                    "strength_match",
                    models.CharField(
                        blank=True,
                        editable=False,
                        help_text="What the set made the same: the gain of each clip, the mean gain (dataset), or the largest change (linf).",
                        max_length=10,
                    ),
                ),
                (
                    "retention_floor",
                    models.FloatField(
                        editable=False,
                        help_text="Share of each attack that the files were to keep; empty where not asked.",
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField(blank=True, editable=False)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
            ],
            options={
                "verbose_name": "historical study",
                "verbose_name_plural": "historical studies",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "token",
                    models.CharField(
                        default=studyserver.models.study_settings.new_token, editable=False, max_length=40, unique=True
                    ),
                ),
                ("label", models.CharField(blank=True, help_text="The researcher's own note.", max_length=100)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Rule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "purpose",
                    models.CharField(choices=[("pay", "who is paid"), ("use", "which votes count")], max_length=3),
                ),
                ("version", models.PositiveIntegerField()),
                ("settings", models.JSONField(help_text="Fields of studyserver.rules.PayRule or UseRule.")),
                ("note", models.CharField(blank=True, help_text="Why it was changed.", max_length=300)),
                ("author", models.CharField(blank=True, max_length=150)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["study", "purpose", "-version"],
            },
        ),
        migrations.CreateModel(
            name="Withdrawal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "done",
                    models.CharField(
                        choices=[
                            ("delete", "delete the answers"),
                            ("anonymise", "keep the answers, cut every tie to the person"),
                        ],
                        max_length=10,
                    ),
                ),
                ("votes", models.PositiveIntegerField(help_text="Deleted or anonymised.")),
                ("happened_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="participant",
            name="participant_origin",
        ),
        migrations.RemoveConstraint(
            model_name="session",
            name="session_state",
        ),
        migrations.RemoveConstraint(
            model_name="study",
            name="study_status",
        ),
        migrations.RemoveConstraint(
            model_name="trial",
            name="trial_state",
        ),
        migrations.RemoveConstraint(
            model_name="trial",
            name="trial_place_only_for_tests",
        ),
        migrations.RemoveConstraint(
            model_name="trial",
            name="trial_place_held_once",
        ),
        migrations.RemoveConstraint(
            model_name="trial",
            name="trial_position_in_session",
        ),
        migrations.AddField(
            model_name="session",
            name="answers",
            field=models.JSONField(blank=True, default=dict, help_text="Of the questionnaire."),
        ),
        migrations.AddField(
            model_name="session",
            name="calibration",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="session",
            name="ended_at",
            field=models.DateTimeField(help_text="Finished, screened out or stopped.", null=True),
        ),
        migrations.AddField(
            model_name="session",
            name="environment",
            field=models.JSONField(blank=True, default=dict, help_text="What the check of the device measured."),
        ),
        migrations.AddField(
            model_name="session",
            name="first_pair_at",
            field=models.DateTimeField(help_text="When practice and quiz were over.", null=True),
        ),
        migrations.AddField(
            model_name="session",
            name="paid_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="session",
            name="paid_amount",
            field=models.DecimalField(
                decimal_places=2, help_text="What was paid, as the rule was then.", max_digits=8, null=True
            ),
        ),
        migrations.RemoveField(model_name="vote", name="playback_ok"),
        migrations.RemoveField(model_name="vote", name="playback_reason"),
        migrations.AddField(
            model_name="session",
            name="presentation",
            field=models.CharField(
                choices=[
                    ("auto", "side by side up to the largest width below, else in the same place"),
                    ("side-by-side", "side by side"),
                    ("sequential", "one after the other"),
                    ("toggle", "in the same place, switched by the participant"),
                ],
                default="side-by-side",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="session",
            name="left_at",
            field=models.DateTimeField(help_text="When they did, for want of a sign of the person.", null=True),
        ),
        migrations.AddField(
            model_name="session",
            name="quiz",
            field=models.JSONField(
                blank=True, default=list, help_text="Each try: the answers and whether they were right."
            ),
        ),
        migrations.AddField(
            model_name="session",
            name="reason",
            field=models.CharField(blank=True, help_text="Why it ended early.", max_length=200),
        ),
        migrations.AddField(
            model_name="session",
            name="service",
            field=models.CharField(blank=True, help_text="Recruitment service that sent the person.", max_length=20),
        ),
        migrations.AddField(
            model_name="session",
            name="submission",
            field=models.CharField(
                blank=True, help_text="Number of the submission there, for payment.", max_length=100
            ),
        ),
        migrations.AddField(
            model_name="session",
            name="withdrawal_code",
            field=models.CharField(default="", editable=False, max_length=24),
        ),
        migrations.AddField(
            model_name="source",
            name="delivered",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="What its files share: size, colour, profile, settings, below_floor.",
            ),
        ),
        migrations.AddField(
            model_name="stimulus",
            name="bytes_encoded",
            field=models.PositiveBigIntegerField(help_text="Without padding.", null=True),
        ),
        migrations.AddField(
            model_name="stimulus",
            name="codec",
            field=models.CharField(blank=True, help_text="As in RFC 6381.", max_length=60),
        ),
        migrations.AddField(
            model_name="stimulus",
            name="gain_frames",
            field=models.FloatField(help_text="Before encoding.", null=True),
        ),
        migrations.AddField(
            model_name="stimulus",
            name="linf",
            field=models.FloatField(help_text="Largest change of a value, in 8-bit levels.", null=True),
        ),
        migrations.AddField(
            model_name="stimulus",
            name="retention_luma",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="stimulus",
            name="score_clean",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="stimulus",
            name="score_delivered",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="study",
            name="allow_mobile",
            field=models.BooleanField(default=False, verbose_name="let telephones and tablets in"),
        ),
        migrations.AddField(
            model_name="study",
            name="allow_replay",
            field=models.BooleanField(default=True, verbose_name="pairs may be watched again"),
        ),
        migrations.AddField(
            model_name="study",
            name="calibration",
            field=models.CharField(
                choices=[("off", "Off"), ("optional", "optional: may be passed over"), ("required", "Required")],
                default="off",
                max_length=10,
                verbose_name="screen calibration with a bank card",
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="check_environment",
            field=models.BooleanField(default=True, verbose_name="check screen, browser and connection"),
        ),
        migrations.AddField(
            model_name="study",
            name="currency",
            field=models.CharField(default="USD", help_text="Three letters, as in ISO 4217.", max_length=3),
        ),
        migrations.AddField(
            model_name="study",
            name="fallback",
            field=models.CharField(
                choices=[
                    ("sequential", "show one after the other"),
                    ("none", "end the session: thanks, and the code for technical problems"),
                ],
                default="sequential",
                max_length=12,
                verbose_name="where two videos cannot be kept in step",
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="fee_percent",
            field=models.DecimalField(
                decimal_places=2,
                default=0,
                max_digits=5,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="fee of the recruitment service, %",
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="full_code",
            field=models.CharField(
                default=studyserver.models.study_settings.new_code,
                help_text="For those who find no place.",
                max_length=40,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="gain_tolerance",
            field=models.FloatField(
                editable=False, help_text="Share of the target by which a delivered gain may miss it.", null=True
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="invitation_only",
            field=models.BooleanField(default=False, help_text="Only single-use invitation links let people in."),
        ),
        migrations.AddField(
            model_name="study",
            name="language",
            field=models.CharField(
                blank=True,
                choices=[("", "as the participant's browser asks"), ("en", "English"), ("de", "German")],
                default="",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="max_load_seconds",
            field=models.PositiveIntegerField(
                default=120,
                help_text="Longest time that loading a whole session may take; 0 for any.",
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(3600),
                ],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="max_minutes",
            field=models.PositiveIntegerField(
                default=25,
                help_text="After so long a session ends with the pair on the screen.",
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(240)],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="max_side_width",
            field=models.PositiveIntegerField(
                default=960,
                help_text="Widest video, in pixels, that is shown side by side where the presentation is chosen by size.",
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(8192),
                ],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="min_refresh_hz",
            field=models.PositiveIntegerField(
                default=50,
                help_text="Slowest screen refresh, in hertz; 0 for any.",
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(1000),
                ],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="no_consent_code",
            field=models.CharField(
                default=studyserver.models.study_settings.new_code,
                help_text="For those who do not agree to take part.",
                max_length=40,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="null_pairs",
            field=models.PositiveIntegerField(
                default=1,
                help_text="Pairs of one and the same video in a session.",
                validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(20)],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="partial_reward",
            field=models.DecimalField(
                decimal_places=2,
                default=0,
                help_text="For people screened out, turned away after they began, or stopped by a technical problem.",
                max_digits=8,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="paused_code",
            field=models.CharField(
                default=studyserver.models.study_settings.new_code,
                help_text="For those who come while the study is paused, closed or not open yet.",
                max_length=40,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="presentation",
            field=models.CharField(
                choices=[
                    ("auto", "side by side up to the largest width below, else in the same place"),
                    ("side-by-side", "side by side"),
                    ("sequential", "one after the other"),
                    ("toggle", "in the same place, switched by the participant"),
                ],
                default="auto",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="questionnaire",
            field=models.BooleanField(default=True, verbose_name="short questionnaire at the end"),
        ),
        migrations.AddField(
            model_name="study",
            name="quiz_attempts",
            field=models.PositiveIntegerField(
                default=2,
                help_text="Tries at the quiz before a person is screened out.",
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10)],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="quiz_questions",
            field=models.PositiveIntegerField(
                default=3,
                help_text="Questions about the instructions, scored on the server; 0 for none.",
                validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(4)],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="repeat_pairs",
            field=models.PositiveIntegerField(
                default=1,
                help_text="Test pairs shown a second time with sides exchanged, in a session.",
                validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(20)],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="require_exact_pixels",
            field=models.BooleanField(
                default=True, help_text="Refuse a zoom at which a video pixel is no whole number of screen pixels."
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="require_smooth",
            field=models.BooleanField(
                default=True,
                help_text="As the browser itself expects (MediaCapabilities).",
                verbose_name="require smooth decoding",
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="clip_effect",
            field=models.FloatField(
                default=0.5,
                help_text="Standard deviation, in logits, by which a condition does better or worse on one clip than on all; 0 where clips are taken to agree.",
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(5),
                ],
                verbose_name="spread between clips",
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="interval_width",
            field=models.FloatField(
                default=0.35,
                help_text="Of the 95 % interval of the difference between two conditions, in logits; 0 does not ask.",
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(5),
                ],
                verbose_name="wanted half-width of an interval",
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="strength_match",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="What the set made the same: the gain of each clip, the mean gain (dataset), or the largest change (linf).",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="retention_floor",
            field=models.FloatField(
                editable=False,
                help_text="Share of each attack that the files were to keep; empty where not asked.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="reward",
            field=models.DecimalField(
                decimal_places=2,
                default=0,
                help_text="For a finished session.",
                max_digits=8,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="sampling",
            field=models.CharField(
                choices=[
                    ("balanced", "balanced: the pairs with the fewest votes first"),
                    ("adaptive", "adaptive: where a vote tells most about the ranking"),
                ],
                default="balanced",
                max_length=10,
                verbose_name="choice of pairs",
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="screened_out_code",
            field=models.CharField(
                default=studyserver.models.study_settings.new_code,
                help_text="For those who failed the practice, the quiz or the check of their device.",
                max_length=40,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="sync_attempts",
            field=models.PositiveIntegerField(
                default=2,
                help_text="Times a pair out of step is played again before that.",
                validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10)],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="technical_code",
            field=models.CharField(
                default=studyserver.models.study_settings.new_code,
                help_text="For those whose device cannot show the videos as it should.",
                max_length=40,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="training_attempts",
            field=models.PositiveIntegerField(
                default=5,
                help_text="Wrong answers to one practice pair after which a person is screened out; 0 for no limit.",
                validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(50)],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="training_pairs",
            field=models.PositiveIntegerField(
                default=3,
                help_text="Practice pairs with feedback, each until right; 0 for none.",
                validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10)],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="verification_pairs",
            field=models.PositiveIntegerField(
                default=2,
                help_text="Hidden pairs with an obvious answer in a session.",
                validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(20)],
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="withdrawal",
            field=models.CharField(
                choices=[
                    ("delete", "delete the answers"),
                    ("anonymise", "keep the answers, cut every tie to the person"),
                ],
                default="delete",
                help_text="What a participant's withdrawal code does.",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="vote",
            name="presentation",
            field=models.CharField(
                choices=[
                    ("auto", "side by side up to the largest width below, else in the same place"),
                    ("side-by-side", "side by side"),
                    ("sequential", "one after the other"),
                    ("toggle", "in the same place, switched by the participant"),
                ],
                default="side-by-side",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="participant",
            name="origin",
            field=models.CharField(
                choices=[("real", "Real"), ("pilot", "Pilot"), ("preview", "Preview"), ("simulated", "Simulated")],
                default="real",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="session",
            name="started_at",
            field=models.DateTimeField(help_text="When the places were taken.", null=True),
        ),
        migrations.AlterField(
            model_name="session",
            name="state",
            field=models.CharField(
                choices=[
                    ("instructions", "reads the instructions"),
                    ("setup", "device is checked"),
                    ("calibration", "calibrates the screen"),
                    ("training", "practises"),
                    ("quiz", "answers the quiz"),
                    ("active", "sees pairs"),
                    ("questionnaire", "answers the questionnaire"),
                    ("completed", "has finished"),
                    ("screened-out", "was screened out"),
                    ("full", "found no place"),
                    ("technical", "was stopped by a technical problem"),
                ],
                default="instructions",
                max_length=14,
            ),
        ),
        migrations.AlterField(
            model_name="stimulus",
            name="gain_delivered",
            field=models.FloatField(help_text="Of the decoded file against the delivered reference.", null=True),
        ),
        migrations.AlterField(
            model_name="study",
            name="completion_code",
            field=models.CharField(
                default=studyserver.models.study_settings.new_code, help_text="For those who finished.", max_length=40
            ),
        ),
        migrations.AlterField(
            model_name="study",
            name="completion_url",
            field=models.URLField(
                blank=True,
                help_text="Way back to the recruitment service; {code} in it becomes the code of the outcome.",
            ),
        ),
        migrations.AlterField(
            model_name="study",
            name="lease_minutes",
            field=models.PositiveIntegerField(
                default=30,
                help_text="Without a sign of a participant for so long, the places are free again.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(1440),
                ],
            ),
        ),
        migrations.AlterField(
            model_name="study",
            name="status",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("pilot", "Pilot"),
                    ("open", "Open"),
                    ("paused", "Paused"),
                    ("closed", "Closed"),
                ],
                default="draft",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="study",
            name="votes_per_pair",
            field=models.PositiveIntegerField(
                default=10,
                help_text="Quota: different people per pair.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(2000),
                ],
            ),
        ),
        migrations.AlterField(
            model_name="trial",
            name="origin",
            field=models.CharField(
                choices=[("real", "Real"), ("pilot", "Pilot"), ("preview", "Preview"), ("simulated", "Simulated")],
                help_text="Whose quota it belongs to.",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="trial",
            name="position",
            field=models.PositiveIntegerField(help_text="Order in the practice, or in the session, from 1.", null=True),
        ),
        migrations.AlterField(
            model_name="trial",
            name="state",
            field=models.CharField(
                choices=[
                    ("free", "Free"),
                    ("claimed", "Claimed"),
                    ("answered", "Answered"),
                    ("expired", "Expired"),
                    ("surplus", "Surplus"),
                ],
                default="free",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="vote",
            name="playback",
            field=models.JSONField(
                blank=True, default=dict, help_text="The playback certificate: how both videos played."
            ),
        ),
        migrations.AddField(
            model_name="consenttext",
            name="study",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="consent_texts", to="studyserver.study"
            ),
        ),
        migrations.AddField(
            model_name="exclusion",
            name="participant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="exclusions", to="studyserver.participant"
            ),
        ),
        migrations.AddField(
            model_name="historicalstudy",
            name="history_user",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="participant",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="invitation",
                to="studyserver.participant",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="study",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="invitations", to="studyserver.study"
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="study",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="rules", to="studyserver.study"
            ),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="study",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="withdrawals", to="studyserver.study"
            ),
        ),
        migrations.RemoveIndex(model_name="trial", name="trial_pool"),
        migrations.AddIndex(
            model_name="trial",
            index=models.Index(fields=["pair", "origin", "kind", "state", "number"], name="trial_pool"),
        ),
    ]
