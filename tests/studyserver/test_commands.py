"""Commands as they are typed."""

import json

import pytest
from django.core.management import CommandError, call_command

from studyserver.models import Study


def document(capsys):
    """Return what was printed on standard output, which must be one JSON document."""
    return json.loads(capsys.readouterr().out)


def test_import_stimuli_makes_and_opens_a_study(db, tiny_set, capsys):
    call_command("import_stimuli", str(tiny_set), study="cats", title="Cats", interval_width=0.0, open=True, json=True)
    assert document(capsys) == {
        "study": "cats",
        "created": True,
        "status": "open",
        "sources": 2,
        "conditions": 4,
        "stimuli": 8,
        "test_pairs": 6,
        "verification_pairs": 2,
    }
    assert Study.objects.get(slug="cats").title == "Cats"


def test_a_folder_that_is_no_set_is_one_sentence(db, tmp_path):
    with pytest.raises(CommandError, match=str(tmp_path)):
        call_command("import_stimuli", str(tmp_path), study="cats")


@pytest.mark.slow
def test_simulate_votes_tells_the_truth_it_used(study, capsys):
    call_command("simulate_votes", "cats", participants=1, seed=5, json=True)
    printed = document(capsys)
    assert printed["participants"] == 1
    assert set(printed["truth"]) == {"reference", "fgsm", "ioi"}


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("export_votes", {"out": "votes.csv"}),
        ("analyze_study", {"out": "report"}),
        ("simulate_votes", {"participants": 1, "seed": 1}),
        ("leak_check", {}),
    ],
)
def test_an_unknown_study_is_one_sentence(db, draft, tmp_path, command, options):
    if "out" in options:
        options = {"out": tmp_path / options["out"]}
    with pytest.raises(CommandError, match="did you mean cats"):
        call_command(command, "cast", **options)


def test_where_there_is_no_study_the_way_to_one_is_named(db, tmp_path):
    with pytest.raises(CommandError, match="import_stimuli makes one"):
        call_command("export_votes", "cats", out=tmp_path / "votes.csv")


def test_an_export_that_cannot_be_written_says_what_to_change(study, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="choose another --out"):
        call_command("export_votes", "cats", out=tmp_path / "file" / "votes.csv")


def test_a_database_that_does_not_answer_is_one_sentence(monkeypatch, tmp_path):
    from django.db import OperationalError

    from studyserver.management.commands import export_votes

    def fail():
        raise OperationalError("connection refused\n\tIs the server running?")

    monkeypatch.setattr(export_votes, "database_ensure", fail)
    with pytest.raises(CommandError, match="connection refused; check DATABASE_URL") as caught:
        call_command("export_votes", "cats", out=tmp_path / "votes.csv")
    assert "\n" not in str(caught.value)


def test_a_set_is_not_made_for_a_study_that_cannot_be(db, tmp_path):
    with pytest.raises(CommandError, match="short name is"):
        call_command(
            "generate_stimuli",
            "nothing.mp4",
            metric="demo",
            attacks="fgsm",
            gain=0.1,
            out=tmp_path / "set",
            study="two words",
        )
    assert not (tmp_path / "set").exists()


def test_serve_refuses_a_port_in_use(db):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CommandError, match="choose another with --port"):
            call_command("serve", port=taken.getsockname()[1])


def test_the_first_account_is_made_once_with_a_private_password(db, settings):
    import stat

    from django.contrib.auth import authenticate

    from studyserver.accounts import first_account_ensure

    account = first_account_ensure()
    assert stat.S_IMODE(account.password_file.stat().st_mode) == 0o600
    password = account.password_file.read_text().strip()
    assert authenticate(username="admin", password=password).is_superuser
    assert first_account_ensure() == account
    assert account.password_file.read_text().strip() == password


def test_where_people_have_accounts_none_is_made(db, django_user_model):
    from studyserver.accounts import first_account_ensure

    django_user_model.objects.create_user("ada", password="x")
    assert first_account_ensure() is None
