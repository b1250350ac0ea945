"""Nothing that a participant's browser receives tells a condition, an answer or a verification pair."""

import hashlib
import json
import re

import pytest

from studyserver.models import Stimulus, Trial
from studyserver.selectors import session_current_trial

WORDS = ("reference", "fgsm", "ioi", "verification", "expected", "clip0", "clip1", "mirrored", "condition", "attack")


def walk(visitor):
    """Go through a whole session and return everything received: text, headers, addresses."""
    received = []

    def keep(reply):
        received.append(f"{dict(reply.headers)} {reply.cookies} {'' if reply.streaming else reply.text}")
        return reply

    keep(visitor.get("landing"))
    keep(visitor.consent())
    keep(visitor.get("instructions"))
    keep(visitor.client.post(visitor.url("instructions")))
    session = visitor.session
    while trial := session_current_trial(session):
        keep(visitor.get("trial"))
        for token in (trial.left_token, trial.right_token):
            keep(visitor.get("media", token))
        keep(visitor.vote(trial, trial.expected or "right"))
    keep(visitor.get("done"))
    return received


@pytest.mark.slow
def test_no_word_of_the_design_reaches_the_browser(visitor):
    # "better" answers the training pair after the vote; all else must be silent.
    received = " ".join(walk(visitor))
    text = received.lower().replace("content_security_policy", "")
    for word in WORDS:
        assert not re.search(rf"(?<![a-z]){word}(?![a-z])", text), word
    # Nor does what identifies a stimulus.
    for stimulus in Stimulus.objects.all():
        for secret in (stimulus.sha256, stimulus.media, stimulus.manifest_id):
            assert secret not in received


def test_the_same_stimulus_has_another_address_in_every_trial(visitor):
    session = visitor.begin()
    tokens = [token for trial in session.trials.all() for token in (trial.left_token, trial.right_token)]
    assert len(set(tokens)) == len(tokens) == 16


def test_headers_of_two_trials_with_the_same_stimulus_differ_only_in_their_tag(visitor):
    session = visitor.begin()
    by_stimulus = {}
    for trial in session.trials.all():
        by_stimulus.setdefault(trial.left.pk, []).append(trial.left_token)
        by_stimulus.setdefault(trial.right.pk, []).append(trial.right_token)
    tokens = next(tokens for tokens in by_stimulus.values() if len(tokens) > 1)
    first, second = (visitor.get("media", token) for token in tokens[:2])
    assert first.headers["ETag"] != second.headers["ETag"]
    assert "Last-Modified" not in first.headers
    digest = hashlib.sha256(b"".join(first.streaming_content)).hexdigest()
    assert digest not in str(dict(first.headers))


@pytest.mark.slow
def test_a_verification_trial_looks_like_a_test(visitor):
    session = visitor.begin()
    shapes = {}
    while trial := session_current_trial(session):
        page = visitor.get("trial")
        state = json.loads(re.search(r'<script id="state"[^>]*>(.*?)</script>', page.text, re.S)[1])
        shapes.setdefault(trial.kind, (sorted(state), sorted(state["trial"]), state["training"]))
        reply = visitor.vote(trial, trial.expected or "left")
        if trial.kind != Trial.Kind.TRAINING:
            assert sorted(reply.json()) == ["location", "state"]
    assert shapes["test"] == shapes["verification"]


def test_every_page_is_kept_to_this_server(visitor):
    visitor.begin()
    for page in (visitor.get("trial"), visitor.get("declined"), visitor.client.get("/no/such/page")):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "media-src 'self' blob:" in policy
        assert "unsafe" not in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page.text)
