"""The card of a stimulus: its videos, difference pictures and numbers, for staff only."""

import io

import numpy
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from PIL import Image

from studyserver.difference import default_amplification
from studyserver.models import Stimulus


@pytest.fixture
def attacked(draft) -> Stimulus:
    return Stimulus.objects.get(source__name="clip0", condition__label="fgsm")


def address(stimulus, name="change", *args):
    return reverse(f"admin:studyserver_stimulus_{name}", args=[stimulus.pk, *args])


def picture(response) -> numpy.ndarray:
    assert response.status_code == 200 and response.headers["Content-Type"] == "image/png"
    return numpy.asarray(Image.open(io.BytesIO(b"".join(response.streaming_content)))).astype(int)


def test_the_card_has_both_videos_and_the_numbers(admin_client, attacked):
    page = admin_client.get(address(attacked)).text
    reference = Stimulus.objects.get(source__name="clip0", condition__label="reference")
    for stimulus in (reference, attacked):
        assert f'src="{address(stimulus, "media")}"' in page
    for words in (
        "+10.00% ± 2.0% of it",
        "42.00 dB",
        "6.00 levels of 255",
        "bytes",
        "bt709",
        "64 × 48",
        "25, 25 a second",
    ):
        assert words in page
    assert "style=" not in page.split('class="card"')[1].split("</section>")[0]


def test_the_reference_stands_alone(admin_client, draft):
    reference = Stimulus.objects.get(source__name="clip0", condition__label="reference")
    page = admin_client.get(address(reference)).text
    assert page.count("<video") == 1 and "Difference to the reference" not in page
    assert admin_client.get(address(reference, "difference", "mean")).status_code == 404


def test_staff_get_the_file_whole_and_in_parts(admin_client, attacked):
    content = (settings.MEDIA_ROOT / attacked.media).read_bytes()
    whole = admin_client.get(address(attacked, "media"))
    assert b"".join(whole.streaming_content) == content and whole.headers["Content-Type"] == "video/mp4"
    part = admin_client.get(address(attacked, "media"), headers={"Range": "bytes=4-7"})
    assert part.status_code == 206 and b"".join(part.streaming_content) == content[4:8]
    (settings.MEDIA_ROOT / attacked.media).unlink()
    assert admin_client.get(address(attacked, "media")).status_code == 404


def test_nobody_else_gets_them(client, attacked):
    pages = [address(attacked, "media"), address(attacked, "difference", "mean")]
    assert all("/admin/login/" in client.get(page).url for page in pages)
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert [client.get(page).status_code for page in pages] == [403, 403]


@pytest.mark.slow
def test_differences_are_what_the_files_hold(admin_client, attacked):
    from stimuli import delivered_pictures

    reference = Stimulus.objects.get(source__name="clip0", condition__label="reference")
    clean, shown = (
        [frame.levels() for frame in delivered_pictures(settings.MEDIA_ROOT / item.media)]
        for item in (reference, attacked)
    )
    changes = numpy.stack([abs(a - b).max(axis=0) for a, b in zip(clean, shown, strict=True)])
    mean = picture(admin_client.get(address(attacked, "difference", "mean"), {"amplify": "8"}))
    assert mean.shape == (48, 64)
    assert abs(mean - (changes.mean(0) * 8).clip(0, 255)).max() <= 0.5
    largest = picture(admin_client.get(address(attacked, "difference", "max"), {"amplify": "8"}))
    assert (largest == (changes.max(0) * 8).clip(0, 255)).all()
    frame = picture(admin_client.get(address(attacked, "difference", "frame"), {"amplify": "8", "frame": "3"}))
    assert frame.shape == (48, 64, 3)
    luma = (shown[3][0] - clean[3][0]).astype(float)
    # Green follows luma most; grey is no difference.
    assert numpy.corrcoef(luma.ravel(), frame[..., 1].ravel())[0, 1] > 0.7
    assert abs(frame.mean() - 128) < 12


@pytest.mark.slow
def test_pictures_are_kept_and_not_made_twice(admin_client, attacked, data_dir, monkeypatch):
    first = picture(admin_client.get(address(attacked, "difference", "max")))
    made = sorted(path.name for path in (data_dir / "differences").rglob("*.png"))
    assert made == ["max-x16.png", "mean-x16.png"]
    monkeypatch.setattr("studyserver.services.difference_images.difference_pictures", None)
    assert (picture(admin_client.get(address(attacked, "difference", "max"))) == first).all()


@pytest.mark.slow
def test_odd_addresses(admin_client, attacked):
    assert admin_client.post(address(attacked, "media")).status_code == 405
    assert admin_client.get(address(attacked, "difference", "median")).status_code == 404
    assert admin_client.get(address(attacked), {"frame": "x", "amplify": "3"}).status_code == 200
    late = admin_client.get(address(attacked, "difference", "frame"), {"frame": "99999", "amplify": "1"})
    assert picture(late).shape == (48, 64, 3)


@pytest.mark.slow
def test_a_damaged_file_is_no_picture_and_no_traceback(admin_client, attacked):
    path = settings.MEDIA_ROOT / attacked.media
    path.unlink()
    path.write_bytes(b"not a video")
    assert admin_client.get(address(attacked, "difference", "mean")).status_code == 404


@pytest.mark.parametrize(("linf", "factor"), [(None, 1), (6.0, 16), (3.0, 32), (0.5, 64), (200.0, 1)])
def test_the_amplification_fits_the_largest_change(linf, factor):
    assert default_amplification(linf) == factor
