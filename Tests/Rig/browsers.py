"""Real browsers, each on its own phone, behind one small interface.

    with Browsers() as browsers:
        ada = browsers.chromium(network.phone("ada"))
        bob = browsers.firefox(network.phone("bob"))
        ada.open(link)

A browser runs wholly inside its phone's namespace, headless, with a fresh profile and a fake camera and microphone whose
use it grants by itself. Chromium is steered by Playwright over a pipe; Firefox by Marionette over a connection made
inside the namespace. Neither needs a network between the test and the phone.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from Rig.network import Phone, inside
from Rig.waiting import wait_until

LIMIT = 30.0
"""Seconds one step in a browser may take."""

CAMERA_RATE = 5
"""Pictures a second from the fake cameras: enough to see them move, and five phones fit on two cores."""

PHONE_SIZE = (412, 823)
"""The default viewport, width and height in CSS pixels."""

CHROMIUM = "/usr/bin/chromium"
FIREFOX = "/usr/bin/firefox-esr"

SCREENSHOTS = Path(os.environ.get("KIBITZ_SCREENSHOTS")
                   or Path(__file__).resolve().parents[2] / ".build/screenshots")
"""Where pictures are kept for people to look at."""


Trust = Callable[[Path], None]
"""Puts authorities into the certificate database that is to be in a directory (`certutil -d sql:DIRECTORY`)."""


class Browser:
    """What a person does with a phone's browser, and what a test may ask of it."""

    kind: str

    def __init__(self, phone: Phone):
        self.phone = phone
        self.directory = Path(tempfile.mkdtemp(prefix="kibitz-browser-"))
        self.messages: list[str] = []

    @property
    def name(self) -> str:
        return self.phone.name

    # Each kind of browser does these in its own way.

    def open(self, url: str) -> None:
        """Go to a page and wait until it is loaded."""
        raise NotImplementedError

    def reload(self) -> None:
        raise NotImplementedError

    def url(self) -> str:
        raise NotImplementedError

    def _evaluate(self, program: str):
        """The value of an async function's body."""
        raise NotImplementedError

    def click(self, css: str) -> None:
        """Click the element, which has to become visible and enabled."""
        raise NotImplementedError

    def type(self, css: str, text: str) -> None:
        """Replace what a field holds, by keys."""
        raise NotImplementedError

    def press(self, key: str) -> None:
        """Press one key where the focus is: `Tab`, `Enter`, `Space` or a character."""
        raise NotImplementedError

    def _picture(self) -> bytes:
        raise NotImplementedError

    def console(self) -> str:
        """What the page wrote to its console."""
        return "\n".join(self.messages[-60:])

    def close(self) -> None:
        raise NotImplementedError

    # The rest is the same for all.

    def eval(self, expression: str, timeout: float = LIMIT):
        """The value of a JavaScript expression; a promise is awaited for at most `timeout` seconds."""
        return self._evaluate(
            "return await Promise.race([(async () => (" + expression + "))(), new Promise((_, reject) => setTimeout("
            f"() => reject(new Error('no answer within {timeout:g} s')), {timeout * 1000:g}))]);")

    def wait(self, expression: str, timeout: float = LIMIT, what: str | None = None):
        """Poll a JavaScript expression until it is truthy, and return it."""
        return wait_until(lambda: self.eval(expression), timeout, f"{self.name} has: {what or expression}",
                          detail=self.describe)

    def text(self, css: str) -> str | None:
        """The text a person reads in an element, or None."""
        return self.eval(f"document.querySelector({json.dumps(css)})?.innerText ?? null")

    def screenshot(self, name: str) -> Path:
        """Keep a picture of what is on the screen as `NAME.png`."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        path.write_bytes(self._picture())
        return path

    def snapshot(self) -> dict:
        """What the room page knows of itself and its links."""
        return self.eval("globalThis.kibitzLocal.snapshot()")

    def describe(self) -> str:
        """For a failed test: where the page is, what it knows, what it wrote."""
        try:
            state = json.dumps(self.eval("globalThis.kibitzLocal ? globalThis.kibitzLocal.snapshot() : null", 5), indent=1)
        except Exception as error:
            state = f"(no snapshot: {error})"
        try:
            place = self.url()
        except Exception as error:
            place = f"(no address: {error})"
        return f"--- {self.name} ({self.kind}, {self.phone.address}) at {place}\n{state}\n{self.console()}"


class Chromium(Browser):
    """Chromium by Playwright; what Playwright starts is a script that enters the phone's namespace first."""

    kind = "chromium"

    def __init__(self, phone: Phone, playwright, *, arguments: list[str] = (), size: tuple[int, int] = PHONE_SIZE,
                 dark: bool = False, accept_certificates: bool = True, trust: Trust | None = None):
        super().__init__(phone)
        if trust:
            trust(self.directory / ".pki/nssdb")
        launcher = self.directory / "chromium"
        # The browser keeps its certificates below HOME, so that too is the phone's own.
        launcher.write_text(
            f'#!/bin/sh\nexport HOME="{self.directory}"\nexec ip netns exec {phone.namespace} {CHROMIUM} "$@"\n')
        launcher.chmod(0o755)
        self.context = playwright.chromium.launch_persistent_context(
            str(self.directory / "profile"), executable_path=str(launcher), headless=True, timeout=LIMIT * 1000,
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light",
            ignore_https_errors=accept_certificates,
            args=["--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream",
                  f"--use-fake-device-for-media-stream=fps={CAMERA_RATE}", *arguments])
        self.context.set_default_timeout(LIMIT * 1000)
        self.page = self.context.pages[0]
        self.page.on("console", lambda message: self.messages.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.messages.append(f"uncaught: {error}"))

    def open(self, url: str) -> None:
        # A change of the fragment alone would not load the page anew.
        self.page.goto("about:blank")
        self.page.goto(url)

    def reload(self) -> None:
        self.page.reload()

    def url(self) -> str:
        return self.page.url

    def _evaluate(self, program: str):
        return self.page.evaluate("async () => {" + program + "}")

    def click(self, css: str) -> None:
        self.page.click(css)

    def type(self, css: str, text: str) -> None:
        self.page.fill(css, "")
        self.page.locator(css).press_sequentially(text)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def _picture(self) -> bytes:
        return self.page.screenshot()

    def close(self) -> None:
        try:
            self.context.close()
        except PlaywrightError:
            pass  # it ended by itself
        shutil.rmtree(self.directory, ignore_errors=True)


class Firefox(Browser):
    """Firefox by Marionette. The process starts at once; the first step waits for it."""

    kind = "firefox"

    KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Space": " ", "Escape": "\ue00c"}

    def __init__(self, phone: Phone, *, accept_certificates: bool = True, insecure_camera: bool = False,
                 trust: Trust | None = None, size: tuple[int, int] = PHONE_SIZE, preferences: dict | None = None):
        super().__init__(phone)
        self._accept = accept_certificates
        self._driver = None
        profile = self.directory / "profile"
        profile.mkdir()
        if trust:
            trust(profile)
        preferences = {**{
            "marionette.port": 2828,  # its own namespace, so no other Firefox has it
            "media.navigator.streams.fake": True,
            "media.navigator.permission.disabled": True,
            "media.navigator.video.default_fps": CAMERA_RATE,
            "media.navigator.video.default_width": 320,
            "media.navigator.video.default_height": 240,
            "media.devices.insecure.enabled": insecure_camera,
            "media.getusermedia.insecure.enabled": insecure_camera,
            "media.autoplay.default": 0,
            "devtools.console.stdout.content": True,
            "app.update.enabled": False,
            "browser.shell.checkDefaultBrowser": False,
            "browser.startup.page": 0,
            "browser.safebrowsing.downloads.enabled": False,
            "browser.safebrowsing.malware.enabled": False,
            "browser.safebrowsing.phishing.enabled": False,
            "captivedetect.canonicalURL": "",
            "datareporting.policy.dataSubmissionEnabled": False,
            "dom.security.https_first": False,
            "dom.security.https_only_mode": False,
            "extensions.update.enabled": False,
            "network.captive-portal-service.enabled": False,
            "network.connectivity-service.enabled": False,
            "services.settings.server": "data:,",
            "toolkit.telemetry.enabled": False,
        }, **(preferences or {})}
        (profile / "user.js").write_text(
            "".join(f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in preferences.items()))
        self._log = self.directory / "log"
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", phone.namespace, FIREFOX, "--headless", "-marionette", "-no-remote",
                 "-profile", str(profile)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "HOME": str(self.directory), "MOZ_HEADLESS_WIDTH": str(size[0]),
                     "MOZ_HEADLESS_HEIGHT": str(size[1]), "MOZ_CRASHREPORTER_DISABLE": "1"})

    @property
    def driver(self):
        """The Marionette session, made at the first use."""
        if self._driver is None:
            from marionette_driver.marionette import Marionette
            driver = Marionette(host="127.0.0.1", port=2828, socket_timeout=2 * LIMIT, startup_timeout=LIMIT)
            with inside(self.phone.namespace):
                driver.start_session({"acceptInsecureCerts": self._accept})
            driver.timeout.script = LIMIT + 5
            driver.timeout.page_load = LIMIT
            self._driver = driver
        return self._driver

    def open(self, url: str) -> None:
        self.driver.navigate("about:blank")
        self.driver.navigate(url)

    def reload(self) -> None:
        self.driver.refresh()

    def url(self) -> str:
        return self.driver.get_url()

    def _evaluate(self, program: str):
        # Outside Marionette's sandbox: the page's own globals are wanted.
        answer = self.driver.execute_async_script(
            "const finish = arguments[arguments.length - 1];"
            "(async () => {" + program + "})().then(value => finish({ value }), error => finish({ error: String(error) }));",
            sandbox=None)
        if "error" in answer:
            raise RuntimeError(f"{self.name}: {answer['error']}")
        return answer.get("value")

    def _element(self, css: str):
        from marionette_driver.by import By
        from marionette_driver.errors import MarionetteException

        def ready():
            try:
                element = self.driver.find_element(By.CSS_SELECTOR, css)
                return element if element.is_displayed() and element.is_enabled() else None
            except MarionetteException:
                return None
        return wait_until(ready, LIMIT, f"{self.name} shows {css}", detail=self.describe)

    def click(self, css: str) -> None:
        self._element(css).click()

    def type(self, css: str, text: str) -> None:
        element = self._element(css)
        element.clear()
        element.send_keys(text)

    def press(self, key: str) -> None:
        self.driver.actions.sequence("key", "keyboard").key_down(self.KEYS.get(key, key)) \
            .key_up(self.KEYS.get(key, key)).perform()

    def _picture(self) -> bytes:
        return base64.b64decode(self.driver.screenshot(full=False))

    def console(self) -> str:
        lines = re.findall(r"^(?:console\.|JavaScript error).*$", self._log.read_text(errors="replace"), re.M)
        return "\n".join(lines[-60:])

    def close(self) -> None:
        # The profile is thrown away, so there is nothing to save by an orderly end. Its helpers share its session.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(LIMIT)
        shutil.rmtree(self.directory, ignore_errors=True)


class Browsers:
    """Starts browsers and ends them all."""

    def __init__(self):
        self._playwright = sync_playwright().start()
        self.open: list[Browser] = []

    def __enter__(self) -> Browsers:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def chromium(self, phone: Phone, **options) -> Chromium:
        return self._keep(Chromium(phone, self._playwright, **options))

    def firefox(self, phone: Phone, **options) -> Firefox:
        return self._keep(Firefox(phone, **options))

    def _keep(self, browser):
        self.open.append(browser)
        return browser

    def clear(self) -> None:
        """Close every browser; new ones can be started."""
        while self.open:
            self.open.pop().close()

    def close(self) -> None:
        try:
            self.clear()
        finally:
            self._playwright.stop()

    def describe(self) -> str:
        return "\n".join(browser.describe() for browser in self.open)


def missing() -> str | None:
    """Which browser is not here, or None."""
    for path in (CHROMIUM, FIREFOX):
        if not os.access(path, os.X_OK):
            return f"{path} is missing"
    return None
