"""What the player says, in the participant's language; the script has no words of its own."""

from django.utils.translation import gettext as _

__all__ = ["player_texts"]


def player_texts() -> dict:
    """Return the player's texts by the script's names; words in braces are filled in there."""
    return {
        "practiceHeading": _("Practice pair"),
        "heading": _("Pair {number} of {total}"),
        "minuteLeft": _("about 1 minute left"),
        "minutesLeft": _("about {minutes} minutes left"),
        "loading": _("Loading the videos…"),
        "notLoaded": _("The videos could not be loaded. Please check your connection."),
        "unplayable": _(
            "This browser cannot play these videos. Please open this page in a current Chrome, Edge or Firefox."
        ),
        "notStarted": _("The browser did not start the videos. Please try once more."),
        "ready": _("Ready when you are."),
        "small": _("The window is too small for these videos: please make it larger, or press F for full screen."),
        "apart": _("The two videos were not shown at the same time. They are played once more by themselves."),
        "changing": _("One moment…"),
        "changed": _("From now on the two videos are shown one after the other."),
        "hidden": _("The page was hidden. Please watch the pair from the beginning."),
        "saving": _("Saving…"),
        "savingAgain": _("The connection is slow. Saving again…"),
        "right": _("Correct: {better} is the better one; the other was spoiled on purpose."),
        "wrong": _(
            "Look again: {better} is the better one; the other was spoiled on purpose. Please watch the pair once more."
        ),
        "side-by-side": {
            "start": _("Play the pair"),
            "practice": _("Practice: watch both videos, then say which one looks better."),
            "question": _("Which video looked better?"),
            "name": {"left": _("Left"), "right": _("Right")},
            "video": {"left": _("Left video"), "right": _("Right video")},
            "better": {"left": _("the left video"), "right": _("the right video")},
            "answer": {"left": _("Left looks better"), "right": _("Right looks better")},
        },
        "sequential": {
            "start": _("Play both videos"),
            "practice": _("Practice: watch both videos, one after the other, then say which one looks better."),
            "question": _("Which video looked better?"),
            "name": {"left": _("First, then second"), "right": _("First, then second")},
            "video": {"left": _("First video"), "right": _("Second video")},
            "better": {"left": _("the first video"), "right": _("the second video")},
            "answer": {"left": _("First looks better"), "right": _("Second looks better")},
        },
        "toggle": {
            "start": _("Play the pair"),
            "practice": _("Practice: switch between the two videos while they play, then say which one looks better."),
            "playing": _("Switch between the two videos with the space bar."),
            "lookAtBoth": _("Please look at the other video, too: press the space bar."),
            "question": _("Which video looks better?"),
            "name": {"left": _("A and B"), "right": _("A and B")},
            "video": {"left": _("Video A"), "right": _("Video B")},
            "better": {"left": _("video A"), "right": _("video B")},
            "answer": {"left": _("A looks better"), "right": _("B looks better")},
        },
    }
