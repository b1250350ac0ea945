"""What the address of an invitation says about who comes, and what the headers say about their device."""

import pytest

from studyserver.handheld import is_handheld
from studyserver.recruitment import Arrival, read_arrival


@pytest.mark.parametrize(
    ("parameters", "arrival"),
    [
        ({}, Arrival()),
        ({"utm_source": "x", "SESSION_ID": "sub"}, Arrival()),
        (
            {"PROLIFIC_PID": "5f3a", "STUDY_ID": "study", "SESSION_ID": "sub"},
            Arrival("5f3a", "prolific", "sub"),
        ),
        ({"PROLIFIC_PID": "5f3a"}, Arrival("5f3a", "prolific")),
        (
            {"workerId": "A1", "assignmentId": "3X", "hitId": "H", "turkSubmitTo": "https://www.mturk.example"},
            Arrival("A1", "mturk", "3X"),
        ),
        ({"workerId": "A1", "hitId": "H"}, Arrival("A1", "mturk")),
        ({"worker_id": "w", "assignment_id": "a", "pool_id": "p"}, Arrival("w", "toloka", "a")),
        ({"workerId": "w", "assignment_id": "a"}, Arrival("w", "toloka", "a")),
        ({"participant": "anna"}, Arrival("anna", "other")),
        ({"participant": "anna", "submission": "7"}, Arrival("anna", "other", "7")),
        ({"participant": " anna "}, Arrival("anna", "other")),
        ({"participant": "   "}, Arrival()),
        ({"invitation": "t0k-en"}, Arrival(invitation="t0k-en")),
        ({"participant": "anna", "invitation": "t0k-en"}, Arrival("anna", "other", invitation="t0k-en")),
    ],
)
def test_services_send_a_person_and_a_submission(parameters, arrival):
    assert read_arrival(parameters) == arrival


@pytest.mark.parametrize(
    "parameters",
    [
        {"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE", "hitId": "H"},
        {"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE", "workerId": "A1"},
        {"PROLIFIC_PID": "{{%PROLIFIC_PID%}}", "SESSION_ID": "{{%SESSION_ID%}}"},
        {"workerId": "${workerId}", "assignmentId": "${assignmentId}"},
        {"participant": "[ID]"},
    ],
)
def test_who_has_not_accepted_the_task_is_nobody(parameters):
    assert read_arrival({**parameters, "invitation": "t"}) == Arrival(invitation="t", only_looking=True)


def test_too_much_is_cut_and_letters_that_are_none_are_left_out():
    arrival = read_arrival({"participant": "a\x00\nb" + "c" * 300, "submission": "s" * 300, "invitation": "i" * 300})
    assert arrival == Arrival("ab" + "c" * 198, "other", "s" * 100, "i" * 40)


@pytest.mark.parametrize(
    ("headers", "handheld"),
    [
        ({}, False),
        ({"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36"}, False),
        ({"User-Agent": "Mozilla/5.0 (Windows NT 6.1; Tablet PC 2.0) like Gecko"}, False),
        ({"User-Agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15"}, False),
        ({"User-Agent": "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/140.0", "Sec-CH-UA-Mobile": "?0"}, False),
        ({"User-Agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/140.0 Mobile Safari/537.36"}, True),
        ({"User-Agent": "Mozilla/5.0 (Linux; Android 13; SM-X900) Chrome/140.0 Safari/537.36"}, True),
        ({"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148"}, True),
        ({"User-Agent": "Mozilla/5.0 (Android 14; Tablet; rv:130.0) Gecko/130.0 Firefox/130.0"}, True),
        ({"User-Agent": "unknown", "Sec-CH-UA-Mobile": "?1"}, True),
    ],
)
def test_telephones_and_tablets_are_told_from_computers(headers, handheld):
    assert is_handheld(headers) is handheld
