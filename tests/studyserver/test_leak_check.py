"""The command that looks for leaks: quiet on the product, and it finds each leak that is planted."""

import json
import struct

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from studyserver.leak import leak_check
from studyserver.models import Participant, Session, Stimulus, Trial, Vote
from studyserver.services import study_set_design
from studyserver.views import media as media_view
from studyserver.views import state as state_view

pytestmark = pytest.mark.slow


@pytest.fixture
def sessions(study):
    """A study whose sessions have every kind of hidden pair."""
    return study_set_design(
        study=study, pairs_per_session=6, verification_pairs=2, repeat_pairs=1, null_pairs=1, training_pairs=0
    )


def leaks(study, **options):
    report = leak_check(study=study, **options)
    assert not Participant.objects.exists() and not Session.objects.exists() and not Vote.objects.exists()
    return report.leaks


def test_the_product_has_no_leak_in_any_step(study, settings, capsys):
    settings.WHITENOISE_USE_FINDERS = True
    study_set_design(
        study=study,
        pairs_per_session=6,
        verification_pairs=2,
        repeat_pairs=1,
        null_pairs=1,
        training_pairs=2,
        quiz_questions=3,
        questionnaire=True,
        check_environment=True,
        calibration="optional",
    )
    call_command("leak_check", "cats", "--json")
    report = json.loads(capsys.readouterr().out)
    assert report["leaks"] == [] and report["visits"] == 4
    # With two clips, one of the two obvious pairs is practised on.
    assert report["trials"] == 4 * 9 and report["files"] == 2 * report["trials"]
    assert "free, mdat" in report["remarks"][0]
    assert not Participant.objects.exists() and not Vote.objects.exists()


def test_a_name_in_a_header_is_found_and_the_command_fails(sessions, monkeypatch, capsys):
    send = media_view.send_ranged

    def telling(request, path, size, tag):
        response = send(request, path, size, tag)
        condition = Stimulus.objects.get(media=str(path.relative_to(django_settings.MEDIA_ROOT))).condition
        response.headers["X-Made-By"] = condition.label
        return response

    monkeypatch.setattr(media_view, "send_ranged", telling)
    with pytest.raises(CommandError, match=r"leaks found: \d+"):
        call_command("leak_check", "cats", visits=1)
    printed = capsys.readouterr().out
    assert "says 'fgsm', a name of the design" in printed
    assert "x-made-by tells the condition of clip clip0" in printed


def change_verification_files(change):
    """Rewrite the files of the obviously impaired stimuli."""
    for stimulus in Stimulus.objects.filter(condition__kind="verification"):
        path = django_settings.MEDIA_ROOT / stimulus.media
        data = change(path.read_bytes())
        path.unlink()
        path.write_bytes(data)
        Stimulus.objects.filter(pk=stimulus.pk).update(bytes=len(data))


def test_a_larger_verification_file_is_found(sessions):
    change_verification_files(lambda data: data + struct.pack(">I4s", 16, b"free") + bytes(8))
    found = leaks(sessions, visits=1)
    assert any(line.startswith("file: bytes tells the condition of clip") and "verification" in line for line in found)
    assert any("content-range" in line for line in found)


def test_another_duration_is_found(sessions):
    def longer(data):
        place = data.index(b"mvhd") + 20
        return data[:place] + struct.pack(">I", 1040) + data[place + 4 :]

    change_verification_files(longer)
    assert any(line.startswith("file: duration tells the condition of clip") for line in leaks(sessions, visits=1))


def test_a_key_that_only_hidden_pairs_have_is_found(sessions, monkeypatch):
    plain = state_view._trial_state

    def telling(slug, trial):
        state = plain(slug, trial)
        return {**state, "check": True} if trial.kind == Trial.Kind.VERIFICATION else state

    monkeypatch.setattr(state_view, "_trial_state", telling)
    found = leaks(sessions)
    assert any(line.startswith("trial: check tells kind") for line in found)
    assert any(line.startswith("keys of its trial tells kind") for line in found)


@pytest.mark.parametrize("side", ["left_token", "right_token"])
def test_a_pattern_of_addresses_is_found(sessions, monkeypatch, side):
    from studyserver.services import steps

    plan = steps.session_plan

    def patterned(*, session, now):
        plan(session=session, now=now)
        for trial in session.trials.filter(kind=Trial.Kind.VERIFICATION):
            Trial.objects.filter(pk=trial.pk).update(**{side: f"0{getattr(trial, side)[1:]}"})

    monkeypatch.setattr(steps, "session_plan", patterned)
    found = leaks(sessions)
    assert any("character" in line and "is '0'" in line for line in found), found


def test_one_address_for_a_video_in_all_its_trials_is_found(sessions, monkeypatch):
    """The address is that of the first trial which shows the video."""
    plain = state_view._trial_state

    def same(slug, trial):
        state = plain(slug, trial)
        for side in ("left", "right"):
            stimulus = getattr(trial, side)
            for other in trial.session.trials.order_by("pk").select_related("pair"):
                token = {
                    (other.pair.second_id if other.mirrored else other.pair.first_id): other.left_token,
                    (other.pair.first_id if other.mirrored else other.pair.second_id): other.right_token,
                }.get(stimulus.pk)
                if token:
                    state[side] = f"{state[side].rpartition('/')[0]}/{token}"
                    break
        return state

    monkeypatch.setattr(state_view, "_trial_state", same)
    assert any("addresses serve more than one pair" in line for line in leaks(sessions, visits=1))


def test_a_digest_that_stands_for_the_file_is_found(sessions, monkeypatch):
    send = media_view.send_ranged

    def tagged(request, path, size, tag):
        response = send(request, path, size, tag)
        response.headers["ETag"] = f'"{Stimulus.objects.get(media__endswith=path.name).sha256}"'
        return response

    monkeypatch.setattr(media_view, "send_ranged", tagged)
    found = leaks(sessions, visits=1)
    assert any("the digest of a file" in line for line in found)
    assert any("etag tells the condition" in line for line in found)


def test_previews_of_others_are_left_alone(sessions):
    from studyserver.errors import StudyError
    from studyserver.services import preview_delete, session_start

    other = session_start(study=sessions, code="somebody", origin="preview")
    real = session_start(study=sessions, code="a person")
    assert leak_check(study=sessions, visits=1).visits == 1
    assert set(Session.objects.all()) == {other, real}
    with pytest.raises(StudyError, match="only previews"):
        preview_delete(session=real)


def test_a_study_that_nobody_can_finish_is_said(sessions, monkeypatch):
    from studyserver.errors import WalkStopped

    (django_settings.MEDIA_ROOT / Stimulus.objects.first().media).unlink()
    with pytest.raises(WalkStopped, match="answered 404"):
        leak_check(study=sessions)
    assert not Vote.objects.exists()
