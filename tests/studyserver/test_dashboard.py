"""The dashboard of a study: its figures, by hand, and its page."""

import datetime
import itertools
import re
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from studyserver.dashboard.tiles import dashboard_tiles
from studyserver.models import Condition, Exclusion, Participant, Session, Study, Trial, Vote, Withdrawal
from studyserver.selectors import default_origin, study_dashboard
from tests.studyserver.synthetic_study import add_people, make_materials

NOW = datetime.datetime(2026, 5, 4, 12, 0, tzinfo=datetime.UTC)
SIDE = {"shown": 125, "dropped": 0, "total": 125, "stalls": 0}
SMOOTH = {
    "left": SIDE,
    "right": SIDE,
    "offsets": {"0": 25},
    "play_ms": 5010,
    "scale": 1,
    "refresh_hz": 59.94,
    "first_frame_ms": 80,
    "out_of_step": 0,
}
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def no_rankings_kept():
    cache.clear()


@pytest.fixture
def small(db) -> Study:
    """One source, the reference and two attacks, so three test pairs that want three votes each."""
    study = Study.objects.create(slug="small", title="Small", votes_per_pair=3, pairs_per_session=3, status="open")
    return make_materials(study, sources=1, conditions=3)


def visit(study, *votes, state="completed", origin="real", ago=60, lease=-1, reason="", playback=SMOOTH):
    """A participant who came `ago` minutes before NOW, with votes (pair, preferred, mirrored, kind).

    pair: 0 reference and attack-1, 1 reference and attack-2, 2 the two attacks, `v` verification, `n` null.
    """
    pairs = dict(zip((0, 1, 2, "v", "n"), study.pairs.order_by("pk"), strict=True))
    came = NOW - datetime.timedelta(minutes=ago)
    person = Participant.objects.create(study=study, code=f"p{next(_numbers)}", origin=origin)
    session = Session.objects.create(
        participant=person,
        state=state,
        reason=reason,
        seed=0,
        consent_version=1,
        consented_at=came,
        first_pair_at=came,
        completed_at=came + datetime.timedelta(minutes=8) if state == "completed" else None,
        lease_until=NOW + datetime.timedelta(minutes=lease),
    )
    trials, given = [], []
    for position, (key, preferred, mirrored, *kind) in enumerate(votes, start=1):
        left = preferred == ("second" if mirrored else "first")
        trials.append(
            Trial(
                pair=pairs[key],
                kind=kind[0] if kind else pairs[key].kind,
                mirrored=mirrored,
                state="answered",
                origin=origin,
                session=session,
                participant=person,
                position=position,
                presented_at=came + datetime.timedelta(seconds=20 * position - 9),
            )
        )
        given.append(
            Vote(
                trial=trials[-1],
                choice="tie" if preferred == "tie" else "left" if left else "right",
                response_ms=1000 * position,
                playback=playback,
                voted_at=came + datetime.timedelta(seconds=20 * position),
            )
        )
    Trial.objects.bulk_create(trials)
    Vote.objects.bulk_create(given)
    return person


RIGHT = ("v", "first", False)


@pytest.fixture
def six(small):
    """Two who finished well, one who missed the verification pair, one inside, one who left, one screened out."""
    visit(small, (0, "first", 0), (1, "first", 0), (2, "first", 0), RIGHT, (0, "first", 1, "repeat"), ("n", "tie", 0))
    visit(small, (0, "first", 1), (1, "second", 0), (2, "tie", 0), RIGHT, (0, "second", 0, "repeat"), ("n", "first", 0))
    visit(small, (0, "second", 0), ("v", "second", False), ago=90)
    visit(small, (0, "first", 0), state="active", lease=20, ago=10)
    visit(small, (1, "first", 0), state="active", ago=300)
    visit(small, state="screened-out", reason="quiz", ago=30)
    return small


def board_of(study, origin="real"):
    return study_dashboard(study, origin, now=NOW)


def test_people_by_outcome(six):
    people = board_of(six).people
    assert {o.name: (o.people, o.parts) for o in people.outcomes} == {
        "finished": (3, ()),
        "in progress": (1, (("at: sees pairs", 1),)),
        "went away": (1, (("at: sees pairs", 1),)),
        "screened out": (1, (("quiz", 1),)),
        "found the study full": (0, ()),
        "technical problem": (0, ()),
    }
    assert (people.entered, people.finished, len(people.inside)) == (6, 3, 1)
    # Three of the five whose visit is over.
    assert people.completion == 0.6
    assert {kind: sum(row) for kind, row in people.over_time.counts.items()} == {
        "finished": 3,
        "in progress": 1,
        "went away": 1,
        "ended early": 1,
    }
    assert people.minutes.median == 8


def test_votes_per_pair(six):
    board = board_of(six)
    assert [(p.first, p.second, p.votes, p.pending, p.missing) for p in board.pairs] == [
        ("reference", "attack-1", 2, 1, 1),
        ("reference", "attack-2", 2, 0, 1),
        ("attack-1", "attack-2", 2, 0, 1),
    ]
    progress = board.progress
    assert (progress.votes, progress.quota, progress.missing, progress.pending) == (6, 9, 3, 1)
    # Six votes of three who finished are two each: two people for three votes; three of five finish: four must begin.
    assert (progress.people_to_finish, progress.people_to_enter) == (2, 4)
    assert progress.per_hour is None and progress.full_in is None


def test_dropped_votes(six):
    board = board_of(six)
    assert board.test_votes == 9
    assert board.dropped == (
        ("session not finished", 2),
        ("participant answered … of … verification pairs rightly", 1),
    )


def test_shares_of_answers(six):
    shares = {answer.name: answer for answer in board_of(six).answers}

    def numbers(name):
        everybody, counted = shares[name].everybody, shares[name].counted
        return (everybody.hits, everybody.total), (counted.hits, counted.total)

    # Pair 0: first, first, second, first; pair 1: first, second, first; pair 2: first, tie.
    assert numbers("Two people agree") == ((3 + 1 + 0, 6 + 3 + 1), (1 + 0 + 0, 1 + 1 + 1))
    assert numbers("Same answer again") == ((1, 2), (1, 2))
    assert numbers("Verification right") == ((2, 3), (2, 2))
    assert numbers("Equals seen as equal") == ((1, 2), (1, 2))
    assert numbers("Chose left") == ((3 + 0 + 0 + 1 + 1, 8), (3, 5))
    assert numbers("No difference") == ((1, 9), (1, 6))
    assert shares["Two people agree"].chance == pytest.approx((1 / 9) ** 2 + (8 / 9) ** 2 / 2)


def test_ranking_counts_what_counts(six):
    ranking = board_of(six).ranking
    assert (ranking.votes, ranking.participants, ranking.comparisons) == (6, 2, 3)
    # The reference won three of four, attack-1 half a vote of four.
    assert ranking.conditions[0].label == "reference"
    assert sum(row.score for row in ranking.conditions) == pytest.approx(0)
    assert all(row.low <= row.score <= row.high for row in ranking.conditions)


def test_ranking_that_cannot_be_says_why(small):
    assert board_of(small).ranking.why_not == "No vote counts yet."
    visit(small, (0, "first", 0), RIGHT)
    assert "one person" in board_of(small).ranking.why_not
    visit(small, (0, "first", 0), RIGHT)
    ranking = board_of(small).ranking
    assert ranking.conditions == () and "attack-1" in ranking.why_not


def test_ranking_is_fitted_once_for_the_same_votes(six, monkeypatch):
    first = board_of(six).ranking
    monkeypatch.setattr("studyserver.selectors.dashboard_ranking._fit", lambda votes: pytest.fail("fitted again"))
    assert board_of(six).ranking == first


def test_ranking_of_a_demonstration_counts_simulated_votes(six):
    visit(six, (0, "first", 0), (1, "first", 0), RIGHT, origin="simulated")
    assert board_of(six).ranking.votes == 6
    six.demonstration = True
    for origin in ("real", "simulated"):
        board = board_of(six, origin)
        assert (board.ranking.votes, board.ranking_origins) == (8, ("real", "simulated"))
    assert board_of(six, "real").progress.votes == 6
    assert board_of(six, "simulated").progress.votes == 2
    assert board_of(six, "pilot").ranking.votes == 0


def test_origins_are_apart(six):
    visit(six, (0, "first", 0), RIGHT, origin="pilot")
    board = board_of(six, "pilot")
    assert board.origins == {"real": 6, "pilot": 1, "preview": 0, "simulated": 0}
    assert (board.people.entered, board.progress.votes, board.playback.votes) == (1, 1, 2)


@pytest.mark.parametrize(
    ("status", "origins", "first"),
    [
        ("open", ("real", "simulated"), "real"),
        ("open", ("simulated",), "simulated"),
        ("draft", ("pilot", "preview"), "pilot"),
        ("pilot", ("real",), "pilot"),
        ("draft", (), "real"),
    ],
)
def test_whose_figures_come_first(small, status, origins, first):
    small.status = status
    for origin in origins:
        visit(small, origin=origin)
    assert default_origin(small) == first


def test_times(six):
    board = board_of(six)
    # Answers after 1, 2, 3 s; 1, 2, 3 s; 1 s; 1 s; 1 s.
    assert board.answer_seconds.median == 1
    assert sum(board.answer_seconds.counts) == 9
    assert board.trial_seconds.median == 9


def test_playback(small):
    visit(small, (0, "first", 0), RIGHT)
    stalled = {
        **SMOOTH,
        "left": {**SIDE, "stalls": 3},
        "scale": 1.25,
        "refresh_hz": 144.1,
        "out_of_step": 2,
        "hidden": 1,
    }
    visit(small, (0, "first", 0), playback=stalled)
    visit(small, (0, "first", 0), playback={})
    person = visit(small, state="active", lease=5)
    person.session.environment = {"trouble": "out-of-step", "trouble_presentation": "side-by-side"}
    person.session.save()
    board = board_of(small)
    playback = board.playback
    assert (playback.votes, playback.measured, playback.replayed, playback.hidden) == (4, 3, 1, 1)
    assert playback.problems == (("no frames counted on one side", 1), ("… stalls on one side", 1))
    assert playback.scales == (("1", 2), ("1.25", 1))
    assert playback.refresh_rates == (("60 Hz", 2), ("144 Hz", 1))
    assert playback.presentations == (("side-by-side", 4),)
    assert playback.first_frame_ms.median == 80
    assert board.people.fallen_back == 1


def test_pace_and_time_left(small):
    small.votes_per_pair = 30
    for _ in range(10):
        visit(small, (0, "first", 0), (1, "first", 0), RIGHT, ago=15)
    progress = board_of(small).progress
    # Twenty votes since the first of them, 14 minutes and 40 seconds ago.
    assert progress.per_hour == pytest.approx(20 * 3600 / 880)
    assert progress.full_in.total_seconds() == pytest.approx(70 * 880 / 20)


def test_exclusions_and_withdrawals(six):
    person = six.participants.order_by("pk").first()
    Exclusion.objects.create(participant=person, reason="told us so", author="ada")
    Exclusion.objects.create(participant=six.participants.last(), reason="a mistake", lifted_at=NOW)
    Withdrawal.objects.create(study=six, done="delete", votes=4)
    board = board_of(six)
    assert [(row.code, row.reason, row.author) for row in board.people.excluded] == [(person.code, "told us so", "ada")]
    assert board.people.withdrawn == 1
    assert board.progress.votes == 3
    assert ("excluded: told us so", 3) in board.dropped


def test_tiles(six):
    six.reward, six.partial_reward, six.fee_percent = Decimal("2.00"), Decimal("0.50"), Decimal(10)
    tiles = {tile.title: (tile.value, tile.note) for tile in dashboard_tiles(board_of(six))}
    assert tiles["Votes that count"] == ("6", "of 9 wanted, 1 pending")
    assert tiles["Participants"] == ("3", "finished of 6, 1 at it now")
    assert tiles["People still needed"] == ("2", "must finish, so about 4 must begin")
    assert tiles["Time left"][0] == "–"
    assert tiles["Verification right"] == ("67\N{NO-BREAK SPACE}%", "2 of 3 answers")
    # Three finished and one was screened out, and a tenth on top.
    assert tiles["Cost so far, USD"] == ("7.15", "3 paid in full, 1 in part, fee of 10 % included")


def test_tiles_of_a_study_that_lets_nobody_in(small):
    small.votes_per_pair, small.status = 30, "closed"
    for _ in range(10):
        visit(small, (0, "first", 0), (1, "first", 0), RIGHT, ago=15)
    left = next(tile for tile in dashboard_tiles(board_of(small)) if tile.title == "Time left")
    assert (left.value, left.note) == ("51\N{NO-BREAK SPACE}min", "at 82 votes per hour, if it were not closed")


def address(study):
    return reverse("admin:studyserver_study_dashboard", args=[study.pk])


def test_page_shows_the_figures(six, admin_client):
    name = "<script>alert(1)</script>"
    Condition.objects.filter(study=six, label="attack-1").update(label=name)
    page = admin_client.get(address(six), {"origin": "real"})
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    for words in ("3 of 3 pairs lack votes", "6 votes of 2 people", "3 of 9 votes on test pairs do not count"):
        assert words in page.text, words
    assert name not in page.text and "&lt;script&gt;" in page.text
    # The content security policy allows neither.
    assert "style=" not in page.text.split("board-head")[1]
    assert "<style" not in page.text
    pictures = re.findall(r"<svg class=\"figure\".*?</svg>", page.text, re.DOTALL)
    assert len(pictures) >= 8
    for picture in pictures:
        assert ElementTree.fromstring(picture).get("aria-label")


def test_page_without_votes(small, admin_client):
    page = admin_client.get(address(small)).text
    assert "No ranking yet: No vote counts yet." in page and "of 9 wanted" in page


@pytest.fixture
def empty(db):
    return Study.objects.create(slug="empty", title="Empty")


def test_page_of_an_empty_study_loads_itself_again_where_asked(empty, admin_client):
    page = admin_client.get(address(empty)).text
    assert "import a stimulus set" in page
    meta = '<meta http-equiv="refresh" content="60">'
    assert meta not in page
    assert meta in admin_client.get(address(empty), {"refresh": "1"}).text


def test_unknown_study_origin_and_method(empty, admin_client):
    assert admin_client.get(reverse("admin:studyserver_study_dashboard", args=[0])).status_code == 404
    assert admin_client.get(address(empty), {"origin": "martian"}).status_code == 404
    assert admin_client.post(address(empty)).status_code == 405


def test_only_staff_who_may_view_studies_see_it(empty, client):
    assert "/admin/login/" in client.get(address(empty)).url
    person = User.objects.create_user("bob", password="x", is_staff=True)
    client.force_login(person)
    assert client.get(address(empty)).status_code == 403
    person.user_permissions.add(Permission.objects.get(codename="view_study"))
    page = client.get(address(empty))
    assert page.status_code == 200
    # Pages behind the figures need permissions of their own.
    assert "rules compared" not in page.text


def test_number_of_queries_does_not_grow(small, admin_client, django_assert_num_queries):
    visit(small, (0, "first", 0), RIGHT)
    with CaptureQueriesContext(connection) as few:
        admin_client.get(address(small))
    for _ in range(3):
        visit(small, (0, "first", 0), (1, "second", 0), RIGHT)
    with django_assert_num_queries(len(few)):
        admin_client.get(address(small))
    assert len(few) <= 30


@pytest.mark.slow
def test_a_full_study(db, admin_client):
    """As many people and votes as the largest study of the field, drawn in one page."""
    study = Study.objects.create(slug="full", title="Full", votes_per_pair=10, status="open", reward=Decimal(2))
    make_materials(study, sources=27, conditions=10)
    add_people(study, 700, origin="real", now=timezone.now())
    board = study_dashboard(study, "real", now=timezone.now())
    assert board.people.entered == 700
    assert board.progress.votes + sum(count for _, count in board.dropped) == board.test_votes > 10_000
    assert board.ranking.conditions[0].label == "reference"
    assert board.cost.spent == 2 * board.people.finished
    page = admin_client.get(address(study))
    assert page.status_code == 200
    assert f"of {len(board.pairs)} pairs lack votes" in page.text
