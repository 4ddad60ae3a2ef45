"""Cameras and microphones that change, are refused, or go away, in the room page."""

from __future__ import annotations

import pytest

from Rig.browsers import CAMERA_RATE
from Rig.party import Party, links, own_id
from Rig.waiting import wait_until

# Of three fake cameras, because the second one of this Chromium gives no pictures to any connection.
CAMERAS = [f"--use-fake-device-for-media-stream=device-count=3,fps={CAMERA_RATE}"]
REFUSING = ["--use-fake-ui-for-media-stream=deny"]


def camera(person) -> str | None:
    """The device whose picture the person sees of themselves."""
    return person.eval("""[...document.querySelectorAll('video')].flatMap(video => video.srcObject?.getVideoTracks() ?? [])
        .map(track => track.getSettings().deviceId).find(device => device && device.length > 40) ?? null""")


def same_link(person, other, before: dict) -> None:
    """Their link is the connection it was, and ICE was not restarted."""
    after = links(person)[own_id(other)]
    assert (after["connections"], after["restarts"]) == (before["connections"], before["restarts"])


def test_switch_between_two_cameras(party: Party):
    """The other camera's pictures come over the same connection; back again; and the choice survives off and on."""
    ada, bob = party.chromium("ada", arguments=CAMERAS), party.firefox("bob")
    party.join(ada, bob)
    party.meet(ada, bob)
    before = links(bob)[own_id(ada)]
    first = camera(ada)
    assert first
    ada.click("#switch-camera")
    blank = wait_until(lambda: (found := camera(ada)) != first and found, 15, "another camera", detail=ada.describe)
    ada.click("#switch-camera")
    second = wait_until(lambda: (found := camera(ada)) not in (first, blank) and found, 15, "the one after it",
                        detail=ada.describe)
    party.watch((bob, ada))
    ada.click("#toggle-camera")
    wait_until(lambda: not ada.snapshot()["self"]["camera"], 10, "the camera is off")
    assert not ada.eval("document.querySelector('#switch-camera').checkVisibility()"), "nothing to switch while it is off"
    ada.click("#toggle-camera")
    wait_until(lambda: camera(ada) == second, 15, "the same camera is on again", detail=ada.describe)
    party.watch((bob, ada))
    ada.screenshot("second-camera-chromium")
    ada.click("#switch-camera")
    wait_until(lambda: camera(ada) == first, 15, "the first camera again", detail=ada.describe)
    party.watch((bob, ada))
    same_link(bob, ada, before)


def test_one_camera_has_no_switch(party: Party):
    """Who has one camera is not offered another."""
    ada = party.chromium("ada")
    party.join(ada)
    wait_until(lambda: ada.snapshot()["self"]["camera"], 20, "the camera is on", detail=party.describe)
    assert not ada.eval("document.querySelector('#switch-camera').checkVisibility()")


@pytest.mark.parametrize("kind", ["chromium", "firefox"])
def test_camera_denied(party: Party, kind):
    """The person is told where to allow it, and is in the room all the same: watches, is heard by chat, not shown."""
    bob = party.chromium("bob")
    party.join(bob)
    ada = party.chromium("ada", arguments=REFUSING) if kind == "chromium" else party.firefox("ada", preferences={
        "media.navigator.permission.disabled": False, "permissions.default.camera": 2, "permissions.default.microphone": 2})
    ada.open(party.link())
    ada.wait("document.querySelector('#join')?.checkVisibility()", what="the way in")
    wait_until(lambda: "does not let this page use the camera" in (ada.text("body") or ""), 20, "the words",
               detail=party.describe)
    ada.screenshot(f"camera-denied-{kind}")
    party.enter(ada)
    party.watch((ada, bob))
    snapshot = ada.snapshot()["self"]
    assert (snapshot["camera"], snapshot["microphone"]) == (False, False)
    wait_until(lambda: [(person["camera"], person["microphone"]) for person in bob.snapshot()["people"]] == [(False, False)],
               15, "bob knows", detail=party.describe)
    assert ada.eval("document.querySelector('#toggle-camera').getAttribute('aria-pressed')") == "false"
    party.says(ada, "no camera today", bob)


def test_camera_and_microphone_taken_away(party: Party):
    """Both stop by themselves in the middle of a call, as when they are unplugged: here the permission is withdrawn. Both
    people are told, and turning them on brings them back over the same connection."""
    ada, bob = party.two()
    before = links(bob)[own_id(ada)]
    session = ada.context.new_cdp_session(ada.page)

    def permit(setting: str) -> None:
        for name in ("camera", "microphone"):
            session.send("Browser.setPermission", {
                "permission": {"name": name}, "setting": setting, "origin": party.box.https})

    def devices(person) -> list[tuple[bool, bool]]:
        return [(other["camera"], other["microphone"]) for other in person.snapshot()["people"]]
    permit("denied")
    wait_until(lambda: not ada.snapshot()["self"]["camera"] and not ada.snapshot()["self"]["microphone"], 20, "both are gone",
               detail=party.describe)
    assert "the camera and the microphone stopped" in ada.text("body").lower()
    wait_until(lambda: devices(bob) == [(False, False)], 15, "bob knows", detail=party.describe)
    assert links(ada)[own_id(bob)]["state"] == "connected", "ada watches on"
    ada.screenshot("camera-taken-away-chromium")
    bob.screenshot("camera-taken-away-firefox")
    permit("granted")
    ada.click("#toggle-camera")
    ada.click("#toggle-microphone")
    wait_until(lambda: devices(bob) == [(True, True)], 30, "both are back", detail=party.describe)
    party.watch((bob, ada))
    same_link(bob, ada, before)
