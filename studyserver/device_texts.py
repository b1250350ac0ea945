"""The sentences of the device check: its lines, and what to do about each problem."""

from django.utils.translation import gettext_lazy as _

from studyserver.device import Problem

__all__ = ["CHECKS", "problem_text"]

# In the order of the page: the line's name and what it says when all is well.
CHECKS = {
    "device": (_("Kind of device"), _("A computer, as needed.")),
    "codec": (_("Video format"), _("Your browser can play these videos.")),
    "screen": (_("Screen"), _("Large enough.")),
    "zoom": (_("Zoom"), _("The videos can be shown pixel by pixel.")),
    "window": (_("Window"), _("Large enough.")),
    "refresh": (_("Refresh rate"), _("Fast enough.")),
    "connection": (_("Connection"), _("Fast enough.")),
}

_PROBLEMS = {
    "device-mobile": _(
        "This looks like a telephone or a tablet. Please take part on a laptop or desktop computer: open the same "
        "address there."
    ),
    "codec-unknown": _("The browser has not answered yet whether it can play the videos. Please check again."),
    "codec-unsupported": _(
        "This browser cannot play the videos. Please open the same address in a current Chrome, Edge or Firefox."
    ),
    "codec-slow": _(
        "This browser says that it cannot play the videos smoothly. Closing other programs and windows, plugging in "
        "the charger, or another current browser may help."
    ),
    "screen-small": _(
        "Your screen shows %(width_there)d × %(height_there)d pixels; the videos need %(width)d × %(height)d. If a "
        "larger screen is connected, move the window there."
    ),
    "zoom-uneven": _(
        "At the present zoom the videos would be blurred. Please set the zoom of the browser to %(zoom)d\u00a0%%: hold "
        "Ctrl (on a Mac ⌘) and press + or −; Ctrl and 0 is 100\u00a0%%."
    ),
    "zoom-none": _(
        "With the scaling of this screen, no zoom of the browser shows the videos pixel by pixel. If you can, set the "
        "scaling of the screen to 100\u00a0%% in the settings of your computer, or move the window to another screen."
    ),
    "window-small": _(
        "The window has room for %(width_there)d × %(height_there)d pixels; the videos need %(width)d × %(height)d. "
        "Please make it as large as possible, or use full screen."
    ),
    "refresh-unknown": _("The screen could not be measured. Please keep this page in front and check again."),
    "refresh-slow": _(
        "The screen shows about %(hz_there)d pictures a second; %(hz)d are needed. Closing other programs, plugging in "
        "the charger, or choosing a higher refresh rate in the settings of the screen may help."
    ),
    "connection-unknown": _("The speed of the connection could not be measured. Please check again."),
    "connection-slow": _(
        "Loading all videos would take about %(seconds_there)d seconds; at most %(seconds)d are acceptable. Ending "
        "other downloads, a cable, or a place nearer to the router may help."
    ),
}


def problem_text(problem: Problem) -> str:
    """Return what a participant reads about a problem."""
    return _PROBLEMS[problem.name] % problem.numbers
