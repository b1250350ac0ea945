"""One of several processes that enter a study at the same moment: `python -m tests.studyserver.claim_worker`.

`enter PREFIX COUNT` takes part as COUNT people and answers everything; `vote KEY TOKEN` answers one trial.
Says `ready`, waits for a line, and then prints a JSON list of what happened.
"""

import json
import sys

import django


def main() -> None:
    django.setup()
    from studyserver.models import Session
    from studyserver.selectors import session_current_trial, study_by_slug
    from studyserver.services import session_advance, session_start, vote_record
    from tests.studyserver.conftest import SMOOTH

    task, first, second = sys.argv[1:]
    print("ready", flush=True)
    sys.stdin.readline()
    happened = []
    if task == "vote":
        session = Session.objects.get(key=first)
        result = vote_record(session=session, token=second, choice="left")
        happened.append([result.vote.pk, result.created])
    else:
        study = study_by_slug("cats")
        for number in range(int(second)):
            session = session_advance(session=session_start(study=study, code=f"{first}{number}"))
            if session.state == Session.State.FULL:
                happened.append("full")
                continue
            while trial := session_current_trial(session):
                vote_record(session=session, token=trial.token, choice=trial.expected or "left", playback=SMOOTH)
            happened.append("done")
    json.dump(happened, sys.stdout)


if __name__ == "__main__":
    main()
