"""Eight processes at one database: no place is taken twice, no vote is lost or doubled."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

from tests.conftest import REPOSITORY
from tests.studyserver.conftest import SHORT
from tests.studyserver.live import free_port

pytestmark = pytest.mark.slow
PROCESSES = 8


@pytest.fixture(scope="module")
def postgresql():
    """Address of a PostgreSQL database that tests may empty: DATABASE_URL_TEST_PG, else on a server of its own."""
    if address := os.environ.get("DATABASE_URL_TEST_PG"):
        yield address
        return
    programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs and not shutil.which("initdb"):
        pytest.skip("no PostgreSQL here: install the package postgresql, or set DATABASE_URL_TEST_PG")
    programs = programs[-1].parent if programs else pathlib.Path(shutil.which("initdb")).parent
    # initdb refuses to run as root.
    runner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lab-pg-"))
    port = free_port()
    if runner:
        shutil.chown(folder, "postgres")

    def run(program, *arguments):
        subprocess.run(
            [*runner, programs / program, "-D", folder / "data", *arguments], check=True, stdout=subprocess.DEVNULL
        )

    run("initdb", "-A", "trust", "-U", "lab", "-E", "UTF8", "--locale=C.UTF-8")
    run("pg_ctl", "-w", "-l", folder / "log", "-o", f"-c listen_addresses=127.0.0.1 -p {port} -k {folder}", "start")
    try:
        yield f"postgresql://lab@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def variables(request, tmp_path):
    """Environment of processes that share a fresh database."""
    settings = {"LAB_DATA_DIR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "studyserver.settings"}
    if request.param == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("postgresql")
    others = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return {**others, **settings}


def run_python(variables, code):
    code = f"import django, json; django.setup()\nfrom studyserver.models import *\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


@pytest.fixture
def study(variables, tiny_set):
    """A study of 6 pairs that 20 people each shall see, 3 pairs per person, so of 40 people."""
    run_python(
        variables,
        "from django.core.management import call_command\n"
        "from studyserver.services import import_stimulus_set, study_open, study_set_design\n"
        "call_command('migrate', verbosity=0)\n"
        "call_command('flush', interactive=False, verbosity=0)\n"
        f"study = import_stimulus_set(slug='cats', folder={str(tiny_set)!r}, interval_width=0).study\n"
        f"study_set_design(study=study, pairs_per_session=3, votes_per_pair=20, **{SHORT})\n"
        "study_open(study=study)",
    )


def at_once(variables, *tasks):
    """Run one worker per task, all from the moment on when the last is ready, and return what happened in each."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.studyserver.claim_worker", *task],
            cwd=REPOSITORY,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for task in tasks
    ]
    # One that fails closes its output, and its error is told below.
    for worker in workers:
        worker.stdout.readline()
    for worker in workers:
        with contextlib.suppress(BrokenPipeError):
            worker.stdin.write("go\n")
            worker.stdin.flush()
    outputs = [worker.communicate(timeout=120) for worker in workers]
    assert not any(worker.returncode for worker in workers), "\n".join(errors for _, errors in outputs)
    return [json.loads(out) for out, _ in outputs]


def test_places_are_taken_once_and_all_of_them(variables, study):
    happened = at_once(variables, *(["enter", f"p{number}-", "6"] for number in range(PROCESSES)))
    outcomes = [outcome for process in happened for outcome in process]
    assert outcomes.count("done") == 40
    assert outcomes.count("full") == 8
    places, people, votes, mirrored = run_python(
        variables,
        "t = Trial.objects.filter(kind='test', state='answered')\n"
        "pairs = Pair.objects.filter(kind='test')\n"
        "print(json.dumps([\n"
        "  [t.filter(pair=p).values('number').distinct().count() for p in pairs],\n"
        "  [t.filter(pair=p).values('participant').distinct().count() for p in pairs],\n"
        "  Vote.objects.filter(trial__kind='test', late=False).count(),\n"
        "  [t.filter(pair=p, mirrored=True).count() for p in pairs]]))",
    )
    assert places == people == [20] * 6
    assert votes == 120
    assert mirrored == [10] * 6


def test_the_same_vote_from_everywhere_is_one_row(variables, study):
    key, token = run_python(
        variables,
        "from studyserver.services import session_start, session_advance, vote_record\n"
        "from studyserver.selectors import session_current_trial\n"
        "s = session_start(study=Study.objects.get(), code='anna'); s = session_advance(session=s)\n"
        "t = session_current_trial(s); vote_record(session=s, token=t.token, choice=t.expected)\n"
        "print(json.dumps([s.key, session_current_trial(s).token]))",
    )
    happened = at_once(variables, *(["vote", key, token] for _ in range(PROCESSES)))
    results = [process[0] for process in happened]
    assert len({vote for vote, _ in results}) == 1
    assert [created for _, created in results].count(True) == 1
    assert run_python(variables, "print(Vote.objects.exclude(trial__kind='training').count())") == 1
