#!/usr/bin/env bash
# What the tests need from the operating system: a Chromium, and PostgreSQL's
# server programs. Uses what is there; else installs through apt where it may;
# else says what is missing (the tests that need it then skip and say why).
set -u

have_chromium() { [ -n "${CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome >/dev/null; }
have_postgres() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null; }

missing=()
have_chromium || missing+=(chromium)
have_postgres || missing+=(postgresql)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${missing[*]} through apt"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

have_chromium || echo "no Chromium: install one or set CHROMIUM; browser tests will be skipped" >&2
have_postgres || echo "no PostgreSQL server programs: its tests will be skipped" >&2
exit 0
