"""The day's page in a real browser. Goal: both languages are one click apart and nothing leaves the machine.

Chromium runs headless on the page of the sample day. The switch is CSS alone, so the test adds a script that
clicks and reports what is visible (to a copy without the page's security policy); with the policy in place the
same script must not run.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from jinka.reports import Language, render_page
from tests.sample_day import sample_day

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: scripts/system-setup installs it")

_SCRIPT = """<script>
const shown = {};
for (const id of ["in-en", "in-zh"]) {
  document.querySelector(`label[for=${id}]`).click();
  shown[id] = document.body.innerText;
  shown[id + "-svg"] = [...document.querySelectorAll("svg tspan")]
    .filter(part => getComputedStyle(part).display !== "none").map(part => part.textContent);
}
shown.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
document.body.dataset.result = JSON.stringify(shown);
</script></body>"""


def _chromium(profile: Path, *arguments: str) -> str:
    flags = (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
        "--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
    )  # fmt: skip
    done = subprocess.run(
        [str(CHROMIUM), *flags, f"--user-data-dir={profile}", *arguments],
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def _result(dom: str) -> dict[str, object]:
    found = re.search(r'data-result="([^"]*)"', dom)
    assert found, "the script did not run"
    plain = found[1].replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return dict(json.loads(plain))


def test_the_language_switch_works_without_a_script_of_its_own(tmp_path: Path) -> None:
    page = render_page(sample_day(spoiled=True)).replace("</body>", _SCRIPT)
    page = re.sub(r"<meta http-equiv[^>]*>", "", page)
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    shown = _result(_chromium(tmp_path / "profile", "--dump-dom", (tmp_path / "page.html").as_uri()))
    english, chinese = str(shown["in-en"]), str(shown["in-zh"])
    assert "The books balance to the fen." in english
    assert "账务分毫不差" not in english
    assert "账务分毫不差" in chinese
    assert "The books balance" not in chinese
    assert "47,023.50" in english
    assert "47,023.50" in chinese
    assert "Shenzhen Metro" in list(shown["in-en-svg"])
    assert "Shenzhen Metro" not in list(shown["in-zh-svg"])
    assert "深圳地铁" in list(shown["in-zh-svg"])
    assert shown["wide"] is False, "the page must not scroll sideways"


def _asked(tmp_path: Path, page: str) -> tuple[str, set[str]]:
    """The DOM of a page and the hosts it made the browser ask for, the browser's own housekeeping left out."""
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    log = tmp_path / "net.json"
    dom = _chromium(
        tmp_path / "profile",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--log-net-log={log}",
        "--dump-dom",
        (tmp_path / "page.html").as_uri(),
    )
    hosts = set(re.findall(r'"url":"https?://([^/"]+)', log.read_text(errors="replace")))
    return dom, {
        host for host in hosts if not host.endswith((".google.com", ".googleapis.com", ".gstatic.com"))
    }


def test_the_policy_stops_scripts_and_nothing_leaves_the_machine(tmp_path: Path) -> None:
    page = render_page(sample_day())
    assert "//" not in page, "no address of any kind stands in the page"
    spied = page.replace("</body>", '<img src="http://spy.example/x.png">' + _SCRIPT)
    dom, hosts = _asked(tmp_path, spied)
    assert "data-result=" not in dom
    assert hosts == set()


def test_the_log_would_show_a_request(tmp_path: Path) -> None:
    _, hosts = _asked(tmp_path, '<img src="http://spy.example/x.png">')
    assert hosts == {"spy.example"}


def test_it_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(render_page(sample_day(), language=Language.ZH), encoding="utf-8")
    picture = tmp_path / "page.png"
    _chromium(
        tmp_path / "profile", "--window-size=1180,1500", f"--screenshot={picture}", (tmp_path / "page.html").as_uri()
    )  # fmt: skip
    raw = picture.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(raw) > 40_000, "a blank page would be far smaller"
