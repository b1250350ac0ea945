"""Start the embedded web server."""

from django.conf import settings

from studyserver.accounts import first_account_ensure
from studyserver.database import database_ensure
from studyserver.management.base import LabCommand, at_least
from studyserver.models import Study
from studyserver.server import check_address, run_server


class Command(LabCommand):
    help = "Bring the database up to date and serve participants' pages and the admin until interrupted."

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=at_least(1), default=8000)
        parser.add_argument("--workers", type=at_least(1), default=2, help="processes (default: 2)")
        parser.add_argument(
            "--threads", type=at_least(1), default=32, help="downloads at once per process (default: 32)"
        )

    def run(self, *, host, port, workers, threads, **_):
        check_address(host, port)
        database_ensure()
        account = first_account_ensure()
        name = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0', '::1', '::') else host}:{port}"
        self.say(f"Admin    {name}/admin/")
        if account:
            self.say(f"         sign in as {account.username}; the password is in {account.password_file}")
        for study in Study.objects.filter(status=Study.Status.OPEN):
            self.say(f"Study    {name}/s/{study.slug}/    {study.title}")
        if host not in ("127.0.0.1", "localhost", "::1") and not _reachable_by_name():
            self.say("Only this machine may use it: name the addresses people will type in DJANGO_ALLOWED_HOSTS.")
        self.say("Press Ctrl+C to stop.")
        self.stdout.flush()
        run_server(host=host, port=port, workers=workers, threads=threads)
        return {"host": host, "port": port}


def _reachable_by_name() -> bool:
    return bool(set(settings.ALLOWED_HOSTS) - {"localhost", "127.0.0.1", "[::1]"})
