"""What several admin pages share: records that are looked at and not edited, and links between them."""

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

__all__ = ["RecordAdmin", "link_to", "list_link", "moment_column"]


class RecordAdmin(admin.ModelAdmin):
    """Records made by imports and by participants: to be read, never added, changed or deleted by hand."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


def link_to(item):
    """Return a link to the page of a record, or a dash."""
    if item is None:
        return "–"
    address = reverse(f"admin:studyserver_{item._meta.model_name}_change", args=[item.pk])
    return format_html('<a href="{}">{}</a>', address, item)


def moment_column(field: str, title: str):
    """Return a list column with a moment to the minute; Django's own spelling of it is twice as wide."""

    @admin.display(description=title, ordering=field)
    def column(self, record):
        moment = getattr(record, field)
        return "–" if moment is None else f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"

    return column


def list_link(model: str, text: str, **filters):
    """Return a link to a list page of the admin, narrowed by filters."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return format_html('<a href="{}?{}">{}</a>', reverse(f"admin:studyserver_{model}_changelist"), query, text)
