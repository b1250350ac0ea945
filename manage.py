#!/usr/bin/env python
"""Command line of the laboratory: `python manage.py help` lists every command."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studyserver.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        try:
            execute_from_command_line(sys.argv)
        except ImproperlyConfigured as error:
            sys.exit(f"Settings: {error}")
    except ModuleNotFoundError as error:
        if error.name != "django":
            raise
        sys.exit("Django is not installed in this Python; run `make setup`, then `source .venv/bin/activate`.")
    except BrokenPipeError:
        # Whoever read has seen enough (`| head`); what is still in the buffer goes nowhere, silently.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        print("stopped before anything was begun", file=sys.stderr)
        sys.exit(130)
