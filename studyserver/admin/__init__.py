"""The researchers' pages: Django's admin, with what people said and saw read-only."""

from django.contrib import admin

from studyserver.admin import invitations, materials, people, rules, studies, trials  # noqa: F401

admin.site.site_header = "Video attack laboratory"
admin.site.site_title = "Video attack laboratory"
admin.site.index_title = "Studies and what they gathered"
