"""The dashboard as a person uses it: real pages, real faces, a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageOps
from playwright.sync_api import expect
from skimage import data

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Photos to enrol from, an altered one, and one without anybody."""
    folder = tmp_path_factory.mktemp("pictures")
    astronaut = Image.fromarray(data.astronaut())
    astronaut.save(folder / "astronaut.png")
    astronaut.crop((60, 0, 420, 360)).save(folder / "portrait.jpg", quality=92)
    ImageOps.mirror(ImageEnhance.Color(astronaut).enhance(0.2)).resize((430, 430)).save(
        folder / "altered.jpg", quality=80
    )
    sky = Image.linear_gradient("L").resize((640, 420))
    Image.merge("RGB", (sky, sky.point(lambda v: v // 2), ImageOps.invert(sky))).save(
        folder / "sky.png"
    )
    ImageEnhance.Brightness(astronaut).enhance(0.06).save(folder / "dark.png")
    return folder


def _open(page, companion):
    page.goto(companion.link)
    page.wait_for_url(f"{companion.address}/start")


def _set_passphrase(page):
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_label("The same once more").fill(PASSPHRASE)
    page.get_by_role("button", name="Set the passphrase").click()
    page.wait_for_url("**/enrol?done=created")


def _enrol(page, *photos: Path):
    page.get_by_label("Name").fill("Eileen")
    page.get_by_label("Choose photos").set_input_files(list(photos))
    page.get_by_role("button", name="Protect this face").click()
    page.wait_for_url("**/?done=enrolled", timeout=90_000)


def _check(page, companion, picture: Path, prompt: str):
    page.goto(f"{companion.address}/check")
    page.get_by_label("Picture, or several").set_input_files(picture)
    page.get_by_label("What is asked for").fill(prompt)
    page.get_by_role("button", name="Check", exact=True).click()
    page.locator(".answer").wait_for(timeout=90_000)
    return page.get_by_role("heading", level=1)


def test_from_a_fresh_home_to_deleting_everything(page, companion, pictures):
    _open(page, companion)
    assert "#" not in page.url
    _set_passphrase(page)
    _enrol(page, pictures / "astronaut.png", pictures / "portrait.jpg")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are protected here")
    expect(page.get_by_role("heading", name="Eileen")).to_be_visible()

    # An altered picture of her: she decides.
    verdict = _check(page, companion, pictures / "altered.jpg", "make it look like an oil painting")
    expect(verdict).to_have_text("Ask first")
    box = page.locator(".frame rect:not(.under)")
    expect(box).to_have_count(1)
    face, frame = box.bounding_box(), page.locator(".frame img").bounding_box()
    assert frame["x"] < face["x"] < face["x"] + face["width"] < frame["x"] + frame["width"]

    # The copy with the salts is a file that the person can keep.
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the receipt").click()
    saved = pictures / "receipt.json"
    download.value.save_as(saved)
    about = (
        "--image",
        str(pictures / "altered.jpg"),
        "--prompt",
        "make it look like an oil painting",
    )
    companion.run("receipt", "verify", str(saved), *about)
    wrong = companion.run(
        "receipt", "verify", str(saved), *about[:2], "--prompt", "something else", check=False
    )
    assert wrong.returncode != 0

    expect(_check(page, companion, pictures / "sky.png", "add a rainbow")).to_have_text("Allowed")
    expect(_check(page, companion, pictures / "altered.jpg", "put her in a bikini")).to_have_text(
        "Refused"
    )

    page.get_by_role("link", name="Receipts", exact=True).click()
    expect(page.locator(".item")).to_have_count(3)
    page.locator(".item").first.click()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("status")).to_contain_text("Genuine")

    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Locked")
    assert "Eileen" not in page.content()
    verdict = _check(page, companion, pictures / "altered.jpg", "make it look like an oil painting")
    expect(verdict).to_have_text("Refused")
    page.goto(f"{companion.address}/unlock")
    page.get_by_label("Passphrase").fill("not the passphrase")
    page.get_by_role("main").get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("alert")).to_contain_text("passphrase")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("main").get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("heading", name="Eileen")).to_be_visible()

    page.get_by_role("button", name="End protection of Eileen").click()
    page.get_by_role("button", name="End protection").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("That protection has ended")
    expect(page.get_by_role("link", name="Save the receipt")).to_be_visible()
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nobody is protected yet")
    verdict = _check(page, companion, pictures / "altered.jpg", "make it look like an oil painting")
    expect(verdict).to_have_text("Allowed")

    page.goto(f"{companion.address}/enrol")
    _enrol(page, pictures / "portrait.jpg")
    page.goto(f"{companion.address}/erase")
    page.get_by_label("To go on, type").fill("delete everything")
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything is deleted")


def test_a_poor_photo_is_explained_and_the_chosen_photos_stay(page, companion, pictures):
    _open(page, companion)
    _set_passphrase(page)
    page.get_by_label("Name").fill("Eileen")
    page.get_by_label("Choose photos").set_input_files(
        [pictures / "portrait.jpg", pictures / "sky.png"]
    )
    page.get_by_role("button", name="Protect this face").click()

    expect(page.get_by_role("alert")).to_contain_text("Photo 2 of 2: No face was found")
    expect(page.locator("#photos-list li")).to_have_count(2)
    for preview in page.locator("#photos-list img").all():
        assert preview.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    page.get_by_role("button", name="Remove number 2").click()
    page.get_by_role("button", name="Protect this face").click()
    page.wait_for_url("**/?done=enrolled", timeout=90_000)


def test_the_camera_gives_hints_and_three_photos(page, companion):
    _open(page, companion)
    _set_passphrase(page)
    page.get_by_label("Name").fill("Eileen")
    page.get_by_role("button", name="Use the camera").click()

    expect(page.locator("#camera-hint")).to_contain_text("Good", timeout=30_000)
    for pose in ("1 of 3", "2 of 3", "3 of 3"):
        expect(page.locator("#camera-pose")).to_contain_text(pose)
        page.get_by_role("button", name="Take the photo").click()
    expect(page.locator("#photos-list li")).to_have_count(3)
    page.get_by_role("button", name="Protect this face").click()
    page.wait_for_url("**/?done=enrolled", timeout=90_000)


def test_everything_but_opening_works_without_scripts(page, chromium, companion, pictures):
    _open(page, companion)
    _set_passphrase(page)
    context = chromium.new_context(
        java_script_enabled=False, storage_state=page.context.storage_state()
    )
    plain = context.new_page()
    plain.goto(f"{companion.address}/enrol")

    _enrol(plain, pictures / "portrait.jpg")
    expect(_check(plain, companion, pictures / "altered.jpg", "add a hat")).to_have_text(
        "Ask first"
    )
    expect(plain.get_by_role("link", name="Save the receipt")).to_be_visible()
    plain.get_by_role("button", name="Lock", exact=True).click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Locked")
    plain.get_by_role("button", name=re.compile("End protection")).click()
    plain.get_by_role("button", name="End protection").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("That protection has ended")
    context.close()


def test_a_used_link_opens_nothing(page, companion):
    _open(page, companion)
    page.goto(f"{companion.address}/check")
    page.context.clear_cookies()

    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("These pages are closed")

    page.goto("about:blank")
    page.goto(companion.link)

    expect(page.get_by_text("Each address opens these pages once.")).to_be_visible()
    page.goto(companion.address)
    expect(page.get_by_role("heading", level=1)).to_have_text("These pages are closed")


def test_a_fresh_link_comes_from_the_command_line(page, companion):
    link = companion.run("open").stdout.strip()

    page.goto(link)

    page.wait_for_url(f"{companion.address}/start")


def test_every_page_fits_and_can_be_read(page, companion, pictures):
    _open(page, companion)
    _assert_readable(page)
    _set_passphrase(page)
    _assert_readable(page)
    _check(page, companion, pictures / "sky.png", "add a rainbow")
    _assert_readable(page)
    paths = ("/", "/check", "/consents", "/protection", "/protection/contest", "/my-checks")
    for path in (*paths, "/receipts", "/settings", "/erase", "/restore"):
        page.goto(companion.address + path)
        _assert_readable(page)
    page.get_by_role("button", name="Lock", exact=True).click()
    page.get_by_role("main").get_by_role("link", name="Unlock").click()
    page.get_by_label("Passphrase").fill("not the passphrase")
    page.get_by_role("main").get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("alert")).to_be_visible()
    _assert_readable(page)


def _assert_readable(page):
    """Nothing sticks out sideways, and text stands out from what is behind it (WCAG AA, 4.5 to 1)."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (360, 1200):
            page.set_viewport_size({"width": width, "height": 800})
            where = (page.url, scheme, width)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
            assert page.evaluate(_TOO_FAINT) == [], where


_TOO_FAINT = """() => {
  const channels = (text) => text.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [a, b] = [channels(getComputedStyle(element).color), behind(element)].map(light);
    if ((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5) faint.push(element.outerHTML.slice(0, 80));
  }
  return faint;
}"""
