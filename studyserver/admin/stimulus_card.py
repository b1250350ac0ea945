"""The card of a stimulus: what is shown of it and of its reference, its numbers, and the addresses of both."""

from dataclasses import dataclass
from fractions import Fraction

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from attacks import list_attacks
from studyserver.difference import AMPLIFICATIONS, KINDS, default_amplification
from studyserver.errors import DifferenceUnavailable
from studyserver.models import Condition, Stimulus
from studyserver.services import difference_image_ensure
from studyserver.study_facts import COLOUR_TAGS
from studyserver.views.media import send_ranged

__all__ = ["card_context", "card_urls"]


@dataclass(frozen=True)
class Shown:
    """A video, or a picture, of the card."""

    title: str
    address: str


def card_urls(model_admin) -> list:
    """Return the addresses of a stimulus's video and difference pictures, for staff who may view stimuli."""

    def of(view, address: str, name: str):
        @require_safe
        def page(request: HttpRequest, pk: int, **kwargs) -> HttpResponse:
            stimulus = model_admin.get_object(request, str(pk))
            if stimulus is None:
                raise Http404("no such stimulus")
            if not model_admin.has_view_permission(request, stimulus):
                raise PermissionDenied
            return view(request, stimulus, **kwargs)

        return path(address, model_admin.admin_site.admin_view(page), name=f"studyserver_stimulus_{name}")

    return [
        of(_media, "<int:pk>/media/", "media"),
        of(_difference, "<int:pk>/difference/<str:kind>.png", "difference"),
    ]


def _media(request: HttpRequest, stimulus: Stimulus) -> HttpResponse:
    file = settings.MEDIA_ROOT / stimulus.media
    if not file.is_file():
        raise Http404("the file of this stimulus is missing; import its set again")
    return send_ranged(request, file, file.stat().st_size, f'"{stimulus.pk}-{stimulus.sha256[:16]}"')


def _difference(request: HttpRequest, stimulus: Stimulus, kind: str) -> HttpResponse:
    frame, amplification = _chosen(request, stimulus)
    try:
        picture = difference_image_ensure(stimulus=stimulus, kind=kind, frame=frame, amplification=amplification)
    except DifferenceUnavailable as error:
        raise Http404(str(error)) from error
    response = FileResponse(picture.open("rb"), content_type="image/png")
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _chosen(request: HttpRequest, stimulus: Stimulus) -> tuple[int, int]:
    """The frame and the amplification of an address; what is no number of either kind is the default."""

    def number(name: str, default: int) -> int:
        text = request.GET.get(name, "")
        return int(text) if text.isdecimal() and len(text) < 9 else default

    frame = number("frame", stimulus.frames // 2)
    amplification = number("amplify", default_amplification(stimulus.linf))
    return min(frame, max(stimulus.frames - 1, 0)), amplification if amplification in AMPLIFICATIONS else 1


def card_context(request: HttpRequest, stimulus: Stimulus) -> dict:
    """Return what the template of the card shows."""
    others = list(stimulus.source.stimuli.select_related("condition").order_by("condition__label"))
    reference = next((item for item in others if item.condition.kind == Condition.Kind.REFERENCE), None)
    frame, amplification = _chosen(request, stimulus)
    encoder = stimulus.source.delivered.get("settings") or {}
    compared = reference is not None and reference != stimulus
    query = f"?frame={frame}&amplify={amplification}"
    return {
        "videos": [
            Shown(str(item.condition), reverse("admin:studyserver_stimulus_media", args=[item.pk]))
            for item in ([reference, stimulus] if compared else [stimulus])
        ],
        "differences": [
            Shown(
                {
                    "frame": f"Frame {frame}: grey is no difference",
                    "mean": "Mean over all frames: black is no difference",
                    "max": "Largest over all frames: black is no difference",
                }[kind],
                reverse("admin:studyserver_stimulus_difference", args=[stimulus.pk, kind]) + query,
            )
            for kind in (KINDS if compared else ())
        ],
        "frame": frame,
        "last_frame": stimulus.frames - 1,
        "card_fps": float(Fraction(stimulus.fps)),
        "amplification": amplification,
        "amplifications": AMPLIFICATIONS,
        "others": others,
        "numbers": _numbers(stimulus),
        "encoder": ", ".join(f"{name} {value}" for name, value in encoder.items()) or "not recorded",
    }


def _numbers(stimulus: Stimulus) -> list[tuple[str, str]]:
    """Names and values of the card, units with them."""
    study, delivered, quality = stimulus.source.study, stimulus.source.delivered, stimulus.quality
    colour = delivered.get("colour") or {}
    target = _text(study.target_gain, "{:+.2%}") if study.target_linf is None else f"{study.target_linf:.2f} levels"
    slack = "" if study.gain_tolerance is None else f" ± {study.gain_tolerance:.1%} of it"
    unpadded = "not recorded" if stimulus.bytes_encoded is None else f"{stimulus.bytes_encoded:,} bytes"
    return [
        ("Strength", _text(stimulus.strength, "{:.4g}", f" ({_unit(stimulus.condition)})")),
        ("Largest change", _text(stimulus.linf, "{:.2f}", " levels of 255")),
        ("Target", f"{target}{slack}"),
        ("Gain before encoding", _text(stimulus.gain_frames, "{:+.2%}")),
        ("Gain of the delivered file", _text(stimulus.gain_delivered, "{:+.2%}")),
        (
            f"{study.target_metric or 'Metric'}: clean, delivered",
            f"{_text(stimulus.score_clean, '{:.3f}')}, {_text(stimulus.score_delivered, '{:.3f}')}",
        ),
        ("Kept by the encoder", _text(stimulus.retention, "{:.0%}")),
        ("Kept of the luma", _text(stimulus.retention_luma, "{:.0%}")),
        ("PSNR", _text(quality.get("psnr"), "{:.2f}", " dB")),
        ("SSIM", _text(quality.get("ssim"), "{:.4f}")),
        ("VIF", _text(quality.get("vif"), "{:.4f}")),
        ("LPIPS", _text(quality.get("lpips"), "{:.4f}")),
        ("File", f"{stimulus.bytes:,} bytes"),
        ("File without padding", unpadded),
        ("Codec, profile", f"{stimulus.codec or '–'}, {delivered.get('profile') or '–'}"),
        *((f"Colour {tag}", colour.get(tag) or "missing") for tag in COLOUR_TAGS),
        ("Picture", f"{stimulus.width} × {stimulus.height} pixels"),
        ("Frames", f"{stimulus.frames}, {float(Fraction(stimulus.fps)):.5g} a second"),
    ]


def _unit(condition: Condition) -> str:
    name = (condition.attack or {}).get("name")
    return next((info.strength.unit for info in list_attacks() if info.name == name), "the attack's own unit")


def _text(value: float | None, form: str, unit: str = "") -> str:
    return "–" if value is None else form.format(value) + unit
