"""The rule versions of a study."""

from studyserver.errors import InvalidRule
from studyserver.models import Rule, Study
from studyserver.rules import PayRule, UseRule, default_rules, read_rule

__all__ = ["rule_in_force", "rule_of", "rule_version"]


def rule_in_force(study: Study, purpose: str) -> Rule:
    """Return the newest version of a study's rule of a purpose, `use` or `pay`.

    A study that has none yet goes by the default, here as an unsaved version 0.
    """
    newest = study.rules.filter(purpose=purpose).order_by("-version").first()
    return newest or Rule(study=study, purpose=purpose, version=0, settings=default_rules()[purpose])


def rule_version(study: Study, purpose: str, version: int) -> Rule:
    """Return one version of a study's rule, or raise InvalidRule with those that there are."""
    versions = {rule.version: rule for rule in study.rules.filter(purpose=purpose)}
    if version not in versions:
        known = ", ".join(map(str, sorted(versions))) or "none"
        raise InvalidRule(f"study {study.slug!r} has no version {version} of its {purpose} rule; there are: {known}")
    return versions[version]


def rule_of(rule: Rule) -> UseRule | PayRule:
    """Return the rule that a stored version holds."""
    return read_rule(rule.purpose, rule.settings)
