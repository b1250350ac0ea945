"""Importing stimulus sets."""

import json
import shutil

import pytest
from django.conf import settings

from studyserver.errors import StimulusSetRefused, StudyError, StudyNotReady
from studyserver.models import Pair, Stimulus, Study
from studyserver.services import import_stimulus_set, study_open


@pytest.fixture
def copy(tiny_set, tmp_path):
    """A set that a test may spoil."""
    return shutil.copytree(tiny_set, tmp_path / "copy")


def test_it_creates_everything(draft):
    assert draft.sources.count() == 2
    assert sorted(draft.conditions.values_list("label", "kind")) == [
        ("fgsm", "attack"),
        ("ioi", "attack"),
        ("reference", "reference"),
        ("verification", "verification"),
    ]
    assert Stimulus.objects.count() == 8
    assert draft.target_metric == "demo"
    assert draft.target_gain == 0.1
    assert draft.status == Study.Status.DRAFT


def test_a_set_matched_by_the_largest_change(db, copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["gain"] |= {"target": None, "linf": 4.0, "match": "linf"}
    for item in manifest["stimuli"]:
        item["speed_matched"] = item["condition"] == "fgsm" if item["attack"] else None
    (copy / "manifest.json").write_text(json.dumps(manifest))
    study = import_stimulus_set(slug="dogs", folder=copy).study
    assert (study.target_gain, study.target_linf) == (None, 4.0)
    marks = Stimulus.objects.values_list("condition__label", "speed_matched").distinct()
    assert dict(marks) == {"reference": None, "fgsm": True, "ioi": False, "verification": None}


def test_lossless_files_keep_their_ending(db, copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    for item in (*manifest["stimuli"], *manifest["verification"]):
        renamed = item["file"].replace(".mp4", ".webm")
        (copy / item["file"]).rename(copy / renamed)
        item["file"] = renamed
    (copy / "manifest.json").write_text(json.dumps(manifest))
    import_stimulus_set(slug="dogs", folder=copy)
    assert all(stimulus.media.endswith(".webm") for stimulus in Stimulus.objects.all())


def test_pairs_are_all_pairs_of_one_source(draft):
    pairs = draft.pairs.select_related("first__source", "second__source", "source")
    assert all(pair.first.source == pair.second.source == pair.source for pair in pairs)
    assert pairs.filter(kind=Pair.Kind.TEST).count() == 2 * 3
    assert pairs.filter(kind=Pair.Kind.VERIFICATION).count() == 2


def test_media_are_there_under_names_that_say_nothing(draft, tiny_set):
    import hashlib

    for stimulus in Stimulus.objects.all():
        path = settings.MEDIA_ROOT / stimulus.media
        assert hashlib.sha256(path.read_bytes()).hexdigest() == stimulus.sha256
        assert len(path.stem) >= 20
        for word in ("clip", "fgsm", "ioi", "reference", "verification"):
            assert word not in stimulus.media


def test_the_same_set_again_changes_nothing(draft, tiny_set):
    files = sorted(settings.MEDIA_ROOT.iterdir())
    result = import_stimulus_set(slug="cats", folder=tiny_set)
    assert not result.created
    assert result.test_pairs == 6
    assert Stimulus.objects.count() == 8
    assert sorted(settings.MEDIA_ROOT.iterdir()) == files


def test_another_set_for_the_same_study_is_refused(draft, copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["seed"] = 99
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StimulusSetRefused, match="already holds another stimulus set"):
        import_stimulus_set(slug="cats", folder=copy)


@pytest.mark.parametrize("slug", ["two words", "cats/dogs", "", "x" * 51])
def test_a_short_name_that_is_no_address_is_refused(db, tiny_set, slug):
    with pytest.raises(StudyError, match="a study's short name is"):
        import_stimulus_set(slug=slug, folder=tiny_set)
    assert not Study.objects.exists()


@pytest.mark.parametrize("spoil", ["change", "remove"])
def test_a_spoilt_file_stops_it_and_leaves_nothing(db, copy, spoil):
    victim = sorted((copy / "media").iterdir())[-1]
    if spoil == "change":
        victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    else:
        victim.unlink()
    with pytest.raises(StimulusSetRefused, match=str(victim.name)):
        import_stimulus_set(slug="cats", folder=copy)
    assert not Study.objects.exists()
    assert not list(settings.MEDIA_ROOT.iterdir())


def test_the_manifest_may_be_named_instead_of_its_folder(db, tiny_set):
    assert import_stimulus_set(slug="cats", folder=tiny_set / "manifest.json").created


def test_a_manifest_that_no_database_takes_leaves_nothing(db, copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    for stimulus in manifest["stimuli"]:
        if stimulus["condition"] == "fgsm":
            stimulus["condition"] = "verification"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StimulusSetRefused, match="make the set again"):
        import_stimulus_set(slug="cats", folder=copy)
    assert not Study.objects.exists()
    assert not list(settings.MEDIA_ROOT.iterdir())


def test_a_failure_half_way_leaves_nothing(db, tiny_set, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(Pair.objects, "bulk_create", fail)
    with pytest.raises(OSError, match="disk full"):
        import_stimulus_set(slug="cats", folder=tiny_set)
    assert not Study.objects.exists()
    assert not list(settings.MEDIA_ROOT.iterdir())


def test_where_links_are_impossible_it_copies(db, tiny_set, monkeypatch):
    import errno
    import os

    def link(*args):
        raise OSError(errno.EXDEV, "other file system")

    monkeypatch.setattr(os, "link", link)
    assert import_stimulus_set(slug="cats", folder=tiny_set).stimuli == 8


def test_a_study_without_pairs_cannot_open(db):
    with pytest.raises(StudyNotReady, match="has no pairs to show"):
        study_open(study=Study.objects.create(slug="empty", title="Empty"))
