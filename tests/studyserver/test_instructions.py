"""/s/<study>/instructions/: what to look for; leaving it takes the places."""

from studyserver.models import Pair, Session, Study, Trial
from studyserver.services import study_pause, study_set_design
from studyserver.views.visit import preview_address
from tests.studyserver.at_step import visitor_at
from tests.studyserver.conftest import Visitor


def reader(client, **settings) -> Visitor:
    return visitor_at(client, Session.State.INSTRUCTIONS, **settings)


def test_it_names_the_keys(client, db):
    page = reader(client).get("instructions")
    assert page.status_code == 200
    assert "<kbd>Space</kbd>" in page.text
    assert "<kbd>R</kbd>" in page.text
    assert "no visible difference" in page.text


def test_without_ties_and_replays_it_does_not_offer_them(client, db):
    page = reader(client, allow_tie=False, allow_replay=False).get("instructions").text
    assert "no visible difference" not in page
    assert "<kbd>R</kbd>" not in page


def test_it_says_how_the_pairs_are_shown(client, db):
    visitor = reader(client)
    for presentation, said in (
        ("side-by-side", "the left, the right video"),
        ("sequential", "the first, the second video"),
        ("toggle", "video A, video B"),
    ):
        Session.objects.update(presentation=presentation)
        assert said in visitor.get("instructions").text


def test_it_names_the_steps_to_come_and_no_others(client, db):
    steps = {
        "training_pairs": (2, "2 pairs for practice"),
        "quiz_questions": (3, "3 questions about"),
        "questionnaire": (True, "questionnaire"),
        "check_environment": (True, "check of your screen"),
        "calibration": ("optional", "bank card"),
    }
    visitor = reader(client, **{name: value for name, (value, _) in steps.items()})
    page = visitor.get("instructions").text
    assert all(words in page for _, words in steps.values())
    Study.objects.update(
        training_pairs=0, quiz_questions=0, questionnaire=False, check_environment=False, calibration="off"
    )
    page = visitor.get("instructions").text
    assert not any(words in page for _, words in steps.values())


def test_a_stranger_is_sent_to_the_landing_page(visitor):
    for reply in (visitor.get("instructions"), visitor.client.post(visitor.url("instructions"))):
        assert reply.status_code == 302
        assert reply.url == "/s/cats/"
    assert not Trial.objects.exclude(state="free").exists()


def test_other_methods_are_refused(client, db):
    visitor = reader(client)
    assert visitor.client.put(visitor.url("instructions")).status_code == 405


def test_going_on_takes_the_places(visitor):
    visitor.consent()
    reply = visitor.client.post(visitor.url("instructions"))
    assert reply.url == "/s/cats/trial/"
    session = visitor.session
    assert session.state == Session.State.TRAINING
    assert sorted(session.trials.values_list("kind", flat=True)) == ["test"] * 6 + ["training", "verification"]


def test_sent_twice_it_takes_them_once(visitor):
    visitor.consent()
    visitor.client.post(visitor.url("instructions"))
    trials = list(Trial.objects.exclude(state="free").values_list("id", flat=True))
    reply = visitor.client.post(visitor.url("instructions"))
    assert reply.url == "/s/cats/trial/"
    assert list(Trial.objects.exclude(state="free").values_list("id", flat=True)) == trials


def test_when_the_last_place_went_meanwhile_it_says_so(visitor, stranger, study):
    study.votes_per_pair = 1
    study.save()
    visitor.consent()
    stranger.begin()
    assert visitor.client.post(visitor.url("instructions")).url == "/s/cats/ended/"
    assert Session.objects.earliest("id").state == Session.State.FULL


def test_a_preview_of_a_study_without_pairs_says_so(client, db):
    study = Study.objects.create(slug="empty", title="Empty", check_environment=False)
    visitor = Visitor(client, study)
    visitor.consent("?" + preview_address(study).split("?")[1])
    page = client.post(visitor.url("instructions"))
    assert "The study has not begun" in page.text
    assert visitor.session.state == Session.State.INSTRUCTIONS


def test_a_preview_without_a_pair_to_train_on_says_so(client, draft):
    draft.pairs.filter(kind=Pair.Kind.VERIFICATION).delete()
    study_set_design(study=draft, check_environment=False)
    visitor = Visitor(client, draft)
    visitor.consent("?" + preview_address(draft).split("?")[1])
    assert "The study has not begun" in client.post(visitor.url("instructions")).text


def test_a_paused_study_shows_its_page(visitor, study):
    visitor.consent()
    study_pause(study=study)
    reply = visitor.get("instructions")
    assert reply.url == "/s/cats/"
    assert "is paused" in visitor.get("landing").text
