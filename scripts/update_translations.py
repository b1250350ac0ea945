"""Bring the participants' texts into the catalogue of every language, and compile the catalogues.

    python scripts/update_translations.py            # after a change of a text or of a translation
    python scripts/update_translations.py --new fr   # begin a language

The texts are those in `{% translate %}`, `{% blocktranslate %}` and the gettext functions below studyserver/. What has
no translation yet is listed; fill it in in locale/<language>/LC_MESSAGES/django.po and run the command again.
"""

import argparse
import io
import os
import pathlib
import sys

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = pathlib.Path(__file__).resolve().parent.parent
APP = ROOT / "studyserver"
LOCALE = APP / "locale"
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def extract_texts() -> Catalog:
    """Return every text below studyserver/ that can be translated, with the files that it stands in."""
    catalog = Catalog(charset="utf-8")
    for path in sorted([*APP.rglob("*.py"), *APP.rglob("*.html")]):
        source = path.read_text("utf-8")
        # Most files have none, and reading them as Python takes its time.
        if not any(word in source for word in ("gettext", "i18n")):
            continue
        if path.suffix == ".html":
            source = _calls(source)
        place = (path.relative_to(APP).as_posix(), None)
        for _, message, comments, context in extract("python", io.BytesIO(source.encode()), KEYWORDS, ["Translators:"]):
            catalog.add(message, locations=[place], auto_comments=comments, context=context)
    return catalog


def catalogue_paths() -> dict[str, pathlib.Path]:
    """Return the catalogue of each language by its code."""
    return {path.parts[-3]: path for path in sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))}


def read_catalogue(path: pathlib.Path) -> Catalog:
    """Read a .po file; what Babel cannot read is an error."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], abort_invalid=True)


def untranslated(catalogue: Catalog) -> list[str]:
    """Return the texts that a catalogue has no translation of, or only a guess."""
    return [str(message.id) for message in catalogue if message.id and (message.fuzzy or not _complete(message))]


def update(path: pathlib.Path, texts: Catalog) -> Catalog:
    """Bring the texts into a catalogue, leave out those that are gone, and write it with its .mo file."""
    catalogue = read_catalogue(path) if path.exists() else _new_catalogue(path.parts[-3])
    created = catalogue.creation_date
    catalogue.update(texts, no_fuzzy_matching=True)
    # Without a change of a text the file stays as it is.
    catalogue.creation_date = created
    catalogue.obsolete.clear()
    catalogue.fuzzy = False
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=110, sort_by_file=True, omit_header=False)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)
    return catalogue


def _new_catalogue(language: str) -> Catalog:
    catalogue = Catalog(
        locale=Locale.parse(language), header_comment="# What participants read.", project="studyserver"
    )
    catalogue.version = catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = ""
    return catalogue


def _calls(template: str) -> str:
    """Return a template as Python that calls gettext; what is not translated is blank."""
    from django.utils.translation.template import templatize

    # Parentheses take away the meaning of indents.
    return f"({templatize(template)})"


def _complete(message) -> bool:
    return all(message.string) if isinstance(message.string, tuple) else bool(message.string)


def main() -> int:
    """Update every catalogue and list what is not translated; 1 if anything is not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--new", metavar="LANGUAGE", help="begin a catalogue, such as fr or pt_BR")
    new = parser.parse_args().new
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studyserver.settings")
    sys.path.insert(0, str(ROOT))
    paths = catalogue_paths()
    if new:
        paths.setdefault(new, LOCALE / new / "LC_MESSAGES" / "django.po")
    texts = extract_texts()
    missing = 0
    for language, path in paths.items():
        catalogue = update(path, texts)
        left = untranslated(catalogue)
        missing += len(left)
        print(f"{language}: {len(catalogue)} texts, {len(left)} without a translation")
        for text in left:
            print(f"  {text}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
