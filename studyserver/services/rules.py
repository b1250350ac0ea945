"""Changing a rule: always a new version, never a change of an old one."""

from django.db import transaction

from studyserver.models import Rule, Study
from studyserver.rules import read_rule, rule_document
from studyserver.selectors import rule_in_force
from studyserver.services.places import places_settle

__all__ = ["rule_set"]


@transaction.atomic
def rule_set(*, study: Study, purpose: str, settings: dict, note: str = "", author: str = "") -> Rule:
    """Put a new version of a study's rule in force and return it; that in force where nothing would change.

    `settings`: the rule's fields by name, what is left out as by default. No vote is changed: under a new rule of
    use, dropped votes give their places back to the quota, and votes that count again take them back where they
    are still free. Raises InvalidRule.
    """
    document = rule_document(read_rule(purpose, settings))
    # One change of a study's rules at a time, so that versions are counted without gaps.
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    present = rule_in_force(study, purpose)
    if present.pk and rule_document(read_rule(purpose, present.settings)) == document:
        return present
    rule = Rule.objects.create(
        study=study,
        purpose=purpose,
        version=present.version + 1,
        settings=document,
        note=note.strip()[:300],
        author=author,
    )
    if purpose == Rule.Purpose.USE:
        places_settle(study=study)
    return rule
