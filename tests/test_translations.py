"""The catalogues of the participants' texts: nothing is missing, nothing is guessed, nothing got lost on the way."""

import re
from gettext import GNUTranslations

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings

from scripts.update_translations import (
    catalogue_paths,
    extract_texts,
    read_catalogue,
    untranslated,
    update,
)
from studyserver.models import Study

PATHS = catalogue_paths()
COMMAND = "run python scripts/update_translations.py, and fill in what it lists"
# Of Python, of scripts, and of HTML.
PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}|</?\w+[^>]*>")
in_every_language = pytest.mark.parametrize("language", PATHS)


@pytest.fixture(scope="module")
def texts():
    return extract_texts()


@pytest.fixture(scope="module")
def catalogues():
    return {language: read_catalogue(path) for language, path in PATHS.items()}


def forms(text):
    return (text,) if isinstance(text, str) else tuple(text)


def keys(catalogue):
    return {(message.context, forms(message.id)) for message in catalogue if message.id}


def test_every_language_of_the_settings_has_a_catalogue_and_can_be_chosen():
    offered = {code for code, _ in settings.LANGUAGES}
    assert offered == {*PATHS, settings.LANGUAGE_CODE}
    assert set(Study.Language.values) == {"", *offered}


@in_every_language
def test_every_text_is_translated(language, texts, catalogues):
    catalogue = catalogues[language]
    assert keys(texts) - keys(catalogue) == set(), f"{language}: texts without a translation; {COMMAND}"
    assert keys(catalogue) - keys(texts) == set(), f"{language}: texts that no page has any more; {COMMAND}"
    assert untranslated(catalogue) == [], f"{language}: texts without a translation; {COMMAND}"


@in_every_language
def test_placeholders_and_tags_survive(language, catalogues):
    for message in catalogues[language]:
        # A plural form may name the number where the singular of the source does not.
        wanted = [sorted(PLACEHOLDERS.findall(text)) for text in forms(message.id)]
        for translation in forms(message.string) if message.id else ():
            assert sorted(PLACEHOLDERS.findall(translation)) in wanted, f"{message.id!r} became {translation!r}"
        if message.id:
            assert sorted(PLACEHOLDERS.findall(forms(message.string)[-1])) == wanted[-1], message.id


@in_every_language
def test_the_compiled_catalogue_is_what_the_text_says(language, catalogues):
    with PATHS[language].with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    for message in filter(lambda message: message.id, catalogues[language]):
        one, *many = forms(message.id)
        if many:
            said = {compiled.ngettext(one, *many, number) for number in range(200)}
        else:
            said = {compiled.pgettext(message.context, one) if message.context else compiled.gettext(one)}
        assert said == set(forms(message.string)), f"{one!r} says something else where it is used; {COMMAND}"


def test_texts_of_templates_and_of_python_are_found(texts):
    found = keys(texts)
    # A table in Python, a plural and a context in a template, an attribute inside a tag.
    assert (None, ("What do you decide about each pair?",)) in found
    assert (None, ("The videos can be shown pixel by pixel.",)) in found
    assert ("key", ("Space",)) in found
    assert any(len(forms_) == 2 and "minute" in forms_[0] for _, forms_ in found)
    assert (None, ("Pairs done",)) in found


def test_an_update_keeps_translations_adds_new_texts_and_drops_old_ones(tmp_path):
    path = tmp_path / "de" / "LC_MESSAGES" / "django.po"
    texts = Catalog(charset="utf-8")
    texts.add("Good day", locations=[("a.html", None)])
    texts.add(("%(n)s pair", "%(n)s pairs"), locations=[("a.html", None)])
    catalogue = update(path, texts)
    assert untranslated(catalogue) == ["Good day", "('%(n)s pair', '%(n)s pairs')"]

    path.write_text(path.read_text().replace('"Good day"\nmsgstr ""', '"Good day"\nmsgstr "Guten Tag"'))
    texts.add("Good day, all", locations=[("b.html", None)])
    del texts[("%(n)s pair", "%(n)s pairs")]
    again = update(path, texts)
    assert again["Good day"].string == "Guten Tag"
    assert untranslated(again) == ["Good day, all"]
    before = path.read_text()
    update(path, texts)
    assert path.read_text() == before
    with path.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    assert [compiled.gettext(text) for text in ("Good day", "Good day, all")] == ["Guten Tag", "Good day, all"]
