"""The Django project: studies, participants' pages, admin and the command line."""
