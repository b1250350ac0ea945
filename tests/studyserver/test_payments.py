"""Who is paid what, and what a study costs."""

import csv
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from studyserver.models import Session
from studyserver.pseudonyms import participant_code
from studyserver.selectors import payment_rows, study_cost
from studyserver.services import rule_set, session_end, sessions_mark_paid, sessions_mark_unpaid, study_set_design
from tests.studyserver.people import miss_verification, take_part

PAY = {"reward": Decimal("2.50"), "partial_reward": Decimal("0.40"), "fee_percent": Decimal(10), "currency": "EUR"}


@pytest.fixture
def paying(study):
    return study_set_design(study=study, **PAY)


def pays(study):
    return {row.participant: (row.pay, str(row.amount)) for row in payment_rows(study)}


def test_finished_in_full_stopped_in_part_gone_not_at_all(paying):
    take_part(paying, "DONE")
    session_end(session=take_part(paying, "STOPPED", pairs=1), state="technical", reason="out-of-step")
    take_part(paying, "GONE", pairs=1)
    assert pays(paying) == {"DONE": ("full", "2.50"), "STOPPED": ("partial", "0.40"), "GONE": ("none", "0")}
    stopped = payment_rows(paying)[1]
    assert (stopped.reason, stopped.code) == ("technical: out-of-step", paying.technical_code)


@pytest.mark.slow
def test_answers_never_play_a_part(paying):
    take_part(paying, "MISSED", choose=miss_verification)
    assert pays(paying) == {"MISSED": ("full", "2.50")}


@pytest.mark.slow
def test_simulated_people_and_previews_are_not_paid(paying):
    take_part(paying, "MODEL", origin="simulated", pairs=0)
    take_part(paying, "LOOK", origin="preview", pairs=0)
    assert pays(paying) == {}


@pytest.mark.slow
def test_another_rule_pays_whoever_was_shown_a_pair(paying):
    take_part(paying, "GONE", pairs=1)
    rule_set(study=paying, purpose="pay", settings={"require_completed": False})
    assert pays(paying) == {"GONE": ("full", "2.50")}


@pytest.mark.slow
def test_paying_is_noted_once_with_the_amount_and_can_be_taken_back(paying):
    done, gone = take_part(paying, "DONE"), take_part(paying, "GONE", pairs=1)
    assert sessions_mark_paid(study=paying, sessions=[done, gone]) == 1
    assert sessions_mark_paid(study=paying, sessions=[done, gone]) == 0
    study_set_design(study=paying, reward=Decimal(9))
    row = payment_rows(paying)[0]
    assert row.paid_at and row.paid_amount == Decimal("2.50")
    assert sessions_mark_unpaid(sessions=[done, gone]) == 1
    assert not Session.objects.exclude(paid_at=None, paid_amount=None).exists()


@pytest.mark.slow
def test_what_a_study_costs(paying):
    assert study_cost(paying).to_end is None
    done = take_part(paying, "DONE")
    session_end(session=take_part(paying, "STOPPED", pairs=1), state="technical")
    sessions_mark_paid(study=paying, sessions=[done])
    cost = study_cost(paying)
    assert (cost.paid, cost.owed, cost.fee, cost.spent) == tuple(map(Decimal, ("2.50", "0.40", "0.29", "3.19")))
    assert (cost.people_paid, cost.people_partly_paid, cost.currency) == (1, 1, "EUR")
    assert cost.per_finished == Decimal("3.19")
    # One person filled one place of every pair, and four are wanted.
    assert cost.to_end == Decimal("12.76")


# The command


def listed(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_the_list_is_joined_with_the_services_own_identifiers(paying, tmp_path, capsys):
    code = participant_code(salt=paying.salt, external_id="5f3c0ffee")
    take_part(paying, code)
    Session.objects.update(service="prolific", submission="s-1")
    (tmp_path / "export.csv").write_text("Submission id,Participant id\ns-1,5f3c0ffee\ns-2,unknown\n")
    out = tmp_path / "pay.csv"
    call_command(
        "payment_list",
        "cats",
        "--out",
        str(out),
        "--ids",
        str(tmp_path / "export.csv"),
        "--column",
        "Participant id",
        "--json",
    )
    said = json.loads(capsys.readouterr().out)
    assert (said["full"], said["due"], said["identifiers"], said["matched"]) == (1, "2.50", 2, 1)
    (row,) = listed(out)
    assert (row["identifier"], row["participant"], row["submission"]) == ("5f3c0ffee", code, "s-1")
    assert (row["amount"], row["currency"], row["code"]) == ("2.50", "EUR", paying.completion_code)
    described = json.loads((tmp_path / "pay_dictionary.json").read_text())
    assert [column["name"] for column in described] == list(row)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("id\n", [], "names nobody in its column 'id'"),
        ("", [], "has no column ''; there are: none"),
        ("id\nx\n", ["--column", "pid"], "ids.csv has no column 'pid'; there are: id"),
    ],
)
def test_a_file_of_identifiers_that_cannot_be_used_is_one_sentence(study, tmp_path, text, options, message):
    (tmp_path / "ids.csv").write_text(text)
    with pytest.raises(CommandError, match=message):
        call_command(
            "payment_list", "cats", "--out", str(tmp_path / "pay.csv"), "--ids", str(tmp_path / "ids.csv"), *options
        )
    assert not (tmp_path / "pay.csv").exists()


def test_a_file_that_is_not_there_is_one_sentence(study, tmp_path):
    with pytest.raises(CommandError, match=r"cannot read .*none\.csv: No such file"):
        call_command("payment_list", "cats", "--out", str(tmp_path / "p.csv"), "--ids", str(tmp_path / "none.csv"))


# The researchers' pages


@pytest.mark.slow
def test_the_list_can_be_downloaded(admin_client, paying):
    take_part(paying, "DONE")
    answer = admin_client.get(reverse("admin:studyserver_study_payments", args=[paying.pk]))
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    (row,) = csv.DictReader(answer.content.decode().splitlines())
    assert (row["participant"], row["amount"]) == ("DONE", "2.50")


@pytest.mark.slow
def test_sessions_are_marked_as_paid_and_unpaid(admin_client, paying):
    sessions = [take_part(paying, "DONE").pk, take_part(paying, "GONE", pairs=1).pk]
    address = reverse("admin:studyserver_session_changelist")

    def act(action):
        return admin_client.post(address, {"action": action, "_selected_action": sessions}, follow=True)

    assert "1 marked as paid. 1 get nothing or were paid already." in act("mark_paid").content.decode()
    assert Session.objects.get(pk=sessions[0]).paid_amount == Decimal("2.50")
    assert b"DONE" in act("payment_list").content
    assert "1 marked as not paid." in act("mark_unpaid").content.decode()
    history = admin_client.get(reverse("admin:studyserver_session_history", args=[sessions[0]])).content.decode()
    assert "Marked as paid: 2.50" in history and "Taken back that 2.50 was paid" in history
    page = admin_client.get(reverse("admin:studyserver_session_change", args=[sessions[0]]))
    assert "full: 2.50 EUR (reached the end of the pairs)" in page.content.decode()


@pytest.mark.slow
def test_strangers_get_no_list(client, study):
    assert client.get(reverse("admin:studyserver_study_payments", args=[study.pk])).status_code == 302
