"""The report as a browser shows it: our own policy must not block our own style."""

import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from dartune.analysis.report import write_report
from dartune.analysis.summary import RunSummary

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--v=0",
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH; install chromium to run the browser tests"),
]


def browse(page: Path, profile: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done


def colours(png: bytes) -> dict[bytes, int]:
    """How many pixels of each RGB value a screenshot holds; reads the 8-bit PNG that Chromium writes."""
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    n_bytes = {2: 3, 6: 4}[kind]
    data, at = b"", 8
    while at < len(png):
        (length,), name = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        data += png[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    raw, stride = zlib.decompress(data), width * n_bytes
    counts: dict[bytes, int] = {}
    above = bytearray(stride)
    for row in range(height):
        start = row * (stride + 1)
        line = _unfilter(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), above, n_bytes)
        for i in range(0, stride, n_bytes):
            pixel = bytes(line[i : i + 3])
            counts[pixel] = counts.get(pixel, 0) + 1
        above = line
    return counts


def _unfilter(kind: int, line: bytearray, above: bytearray, n_bytes: int) -> bytearray:
    for i in range(len(line)):
        left = line[i - n_bytes] if i >= n_bytes else 0
        corner = above[i - n_bytes] if i >= n_bytes else 0
        if kind == 1:
            line[i] = (line[i] + left) & 255
        elif kind == 2:
            line[i] = (line[i] + above[i]) & 255
        elif kind == 3:
            line[i] = (line[i] + (left + above[i]) // 2) & 255
        elif kind == 4:
            guess = left + above[i] - corner
            near = min(
                (abs(guess - left), 0, left), (abs(guess - above[i]), 1, above[i]), (abs(guess - corner), 2, corner)
            )
            line[i] = (line[i] + near[2]) & 255
    return line


@pytest.fixture(scope="module")
def page(run_summary: RunSummary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(run_summary, path)
    return path


def test_browser_parses_what_was_written_and_refuses_nothing(page: Path, tmp_path: Path) -> None:
    done = browse(page, tmp_path, "--dump-dom")
    assert done.stdout.count("<svg ") == page.read_text("utf-8").count("<svg ")
    assert done.stdout.count("<td ") == page.read_text("utf-8").count("<td ")
    assert "Content Security Policy" not in done.stderr, "our own policy blocks our own page"


def test_style_is_applied(page: Path, tmp_path: Path) -> None:
    def shot(file: Path, name: str) -> dict[bytes, int]:
        out = tmp_path / name
        browse(file, tmp_path / "profile", f"--screenshot={out}", "--window-size=500,600")
        return colours(out.read_bytes())

    paper, first_set = bytes.fromhex("fdfdfb"), bytes.fromhex("0067a6")
    styled = shot(page, "styled.png")
    assert styled.get(paper, 0) > 0.6 * sum(styled.values())
    assert styled.get(first_set, 0) > 50

    blocked = page.with_name("blocked.html")
    blocked.write_text(page.read_text("utf-8").replace("style-src 'sha256-", "style-src 'sha256-A"), "utf-8")
    assert paper not in shot(blocked, "blocked.png"), "the policy does not decide: this test proves nothing"
