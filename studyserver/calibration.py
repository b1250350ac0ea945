"""The size of a screen's pixels from the outline of a bank card, and how much of the view a pixel takes."""

import math
from collections.abc import Mapping

from django.utils.translation import gettext

from studyserver.errors import InvalidAnswer

__all__ = ["CARD_CM", "CARD_CSS_PX", "DISTANCE_CM", "read_calibration"]

# ISO/IEC 7810 ID-1.
CARD_CM = (8.56, 5.398)
# What the outline can be set to: CSS pixels across.
CARD_CSS_PX = (120, 900)
DISTANCE_CM = (15, 500)
# From a large television to the finest telephone.
_PX_PER_CM = (8, 300)


def read_calibration(data: Mapping[str, str]) -> dict:
    """Return a calibration as a session keeps it: sizes in CSS and device pixels, distance in cm.

    Raises InvalidAnswer with a sentence for each wrong field in `fields`.
    """
    card = _number(data.get("card_css_px", ""))
    ratio = _number(data.get("device_pixel_ratio", ""))
    distance = _number(data.get("distance_cm", ""))
    wrong = {}
    if not CARD_CSS_PX[0] <= card <= CARD_CSS_PX[1] or not 0.1 <= ratio <= 16:
        wrong["card_css_px"] = gettext("Please make the outline as large as your card.")
    elif not _PX_PER_CM[0] <= card * ratio / CARD_CM[0] <= _PX_PER_CM[1]:
        wrong["card_css_px"] = gettext(
            "No screen has pixels of that size. Please make the outline as large as your card."
        )
    if not DISTANCE_CM[0] <= distance <= DISTANCE_CM[1]:
        wrong["distance_cm"] = gettext("Please give the distance in centimetres, from %(least)d to %(most)d.") % {
            "least": DISTANCE_CM[0],
            "most": DISTANCE_CM[1],
        }
    if wrong:
        raise InvalidAnswer(wrong)
    px_per_cm = card * ratio / CARD_CM[0]
    return {
        "card_css_px": round(card, 1),
        "device_pixel_ratio": ratio,
        "px_per_cm_css": round(card / CARD_CM[0], 3),
        "px_per_cm": round(px_per_cm, 3),
        "distance_cm": round(distance, 1),
        "px_per_degree": round(2 * px_per_cm * distance * math.tan(math.radians(0.5)), 2),
    }


def _number(text: str) -> float:
    """The number in a field, with a comma or a point; not a number where there is none."""
    try:
        return float(text.strip().replace(",", ".")) if len(text) <= 20 else math.nan
    except ValueError:
        return math.nan
