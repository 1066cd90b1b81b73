import gzip
import hashlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dartune.config import QueriesConfig
from dartune.errors import DataError, WriteError
from dartune.queries import check_queries, load_queries
from dartune.queries.benchmarks import BENCHMARKS, Benchmark, FolderFile, WebFile
from dartune.queries.benchmarks.college_math import from_release as college_math
from dartune.queries.benchmarks.gsm8k import from_release as gsm8k
from dartune.queries.benchmarks.math import from_release as math
from dartune.queries.benchmarks.math import from_rllm, last_boxed
from dartune.queries.benchmarks.olympiadbench import from_release as olympiadbench
from dartune.queries.benchmarks.opening import open_benchmark
from dartune.queries.benchmarks.theoremqa import from_release as theoremqa
from dartune.queries.collecting import collect
from dartune.queries.columns import CANONICAL
from dartune.queries.download import fetch, sha256_of
from dartune.queries.rows import Adapter, Problem, RawRow

HOW_GRADED = {"error": "1e-1", "answer_type": "Numerical", "is_multiple_answer": True}
KNOWN = {
    "math/train": (7472, 7472, 0),
    "math/test": (5000, 5000, 0),
    "gsm8k/train": (7473, 7473, 0),
    "gsm8k/test": (1319, 1319, 0),
    "college-math/test": (2818, 2808, 24),
    "deepmind-mathematics": (1000, 1000, 0),
    "olympiadbench/oe-to-maths-en-comp": (675, 675, 0),
    "theoremqa": (800, 800, 1),
}
"""Name -> rows, different queries, texts with conflicting references."""


@pytest.mark.data
@pytest.mark.parametrize("name", KNOWN)
def test_benchmarks_load_from_the_data_folder(benchmark_folder: Path, name: str) -> None:
    loaded = load_queries(QueriesConfig(source=name, data_dir=benchmark_folder))
    report = loaded.report
    assert (len(loaded.rows), len(loaded.queries), report.n_conflicting_texts) == KNOWN[name]
    assert report.n_rows == report.origin.n_rows_expected == BENCHMARKS[name].n_rows
    assert report.origin.checksum == "verified"
    assert report.origin.path == str(benchmark_folder / BENCHMARKS[name].sources[0].file)  # type: ignore[union-attr]
    assert not report.defects
    assert set(loaded.rows) == {query.id for query in loaded.queries}
    assert tuple(level for level in report.n_by_level if level is not None) == BENCHMARKS[name].levels
    assert sum(domain is not None for domain in report.n_by_domain) == BENCHMARKS[name].n_domains
    assert all(query.source == name for query in loaded.queries)


@pytest.mark.data
def test_benchmarks_are_filtered_by_level_and_domain(benchmark_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARTUNE_DATA", str(benchmark_folder))
    config = QueriesConfig(source="math/test", levels=(5,), domains=("geometry", "Algebra"), sample=100)
    loaded = load_queries(config, seed=1)
    assert len(loaded.queries) == 100
    assert {(query.level, query.domain) for query in loaded.queries} == {(5, "Geometry"), (5, "Algebra")}
    assert loaded == load_queries(config, seed=1)
    assert loaded.queries != load_queries(config, seed=2).queries
    assert len(load_queries(QueriesConfig(source="math/test", levels=(5,))).queries) == 1324


@pytest.mark.data
def test_check_reports_what_college_math_repeats(benchmark_folder: Path) -> None:
    check = check_queries(QueriesConfig(source="college-math/test", data_dir=benchmark_folder))
    assert check.is_ok
    assert [finding.message for finding in check.findings] == [
        "rows that repeat an earlier text and reference, one query each: 10",
        "texts with more than one reference, each pair a query of its own: 24",
    ]


@pytest.mark.parametrize(
    ("solution", "answer"),
    [
        (r"so $\boxed{2}$ or $\boxed{3}$.", "3"),
        (r"$\boxed{\frac{1}{\sqrt{2}}}$ }", r"\frac{1}{\sqrt{2}}"),
        (r"$\boxed{\{1, 2\}}$", r"\{1, 2\}"),
        (r"$\boxed 5$.", "5"),
        (r"$\fbox{7}$", "7"),
        (r"\boxed{}", ""),
        (r"$\boxed{1$", None),
        (r"\boxed", None),
        ("none", None),
    ],
)
def test_the_last_box_of_a_solution(solution: str, answer: str | None) -> None:
    assert last_boxed(solution) == answer


balanced = st.recursive(
    st.text(st.sampled_from("abc 12+$\n")), lambda inner: st.lists(inner).map(lambda parts: "{" + "".join(parts) + "}")
)


@given(st.text(st.sampled_from("ab{}\\$")), balanced, st.text(st.sampled_from("ab{}$")))
def test_a_box_is_found_whatever_stands_around_it(before: str, content: str, after: str) -> None:
    assert last_boxed(f"{before} \\boxed{{{content}}}{after}") == content


@pytest.mark.parametrize(
    ("adapt", "raw", "problem"),
    [
        (
            math,
            {"problem": "p", "level": "Level 3", "type": "Algebra", "solution": r"$\boxed{2}$"},
            Problem(text="p", ref_answer="2", level="Level 3", domain="Algebra"),
        ),
        (
            math,
            {"problem": "p", "level": "Level ?", "type": "Geometry", "solution": "no box"},
            Problem(text="p", ref_answer=None, domain="Geometry"),
        ),
        (
            from_rllm,
            {"problem": "p", "answer": "2", "difficulty": 0.0, "type": "Algebra"},
            Problem(text="p", ref_answer="2", domain="Algebra"),
        ),
        (
            gsm8k,
            {"question": "q", "answer": "4 #### is\n#### 1,234,000\n"},
            Problem(text="q", ref_answer="1234000"),
        ),
        (gsm8k, {"question": "q", "answer": "no mark"}, Problem(text="q", ref_answer=None)),
        (
            college_math,
            {"question": "q", "answer": "$2$", "data_topic": "college_math.linear_algebra"},
            Problem(text="q", ref_answer="$2$", domain="linear_algebra"),
        ),
        (
            olympiadbench,
            {"question": "q", "final_answer": ["$1$", "$2$"], "subfield": "Algebra", "unit": None, **HOW_GRADED},
            Problem(text="q", ref_answer="$1$, $2$", domain="Algebra", meta=HOW_GRADED),
        ),
        (
            theoremqa,
            {"Question": "q", "Answer": [0, 5], "Answer_type": "list of integer", "field": "Math"},
            Problem(text="q", ref_answer="[0, 5]", domain="Math", meta={"answer_type": "list of integer"}),
        ),
        (
            theoremqa,
            {"Question": "q", "Answer": True, "Answer_type": "bool"},
            Problem(text="q", ref_answer="True", meta={"answer_type": "bool"}),
        ),
    ],
)
def test_rows_of_the_releases(adapt: Adapter, raw: RawRow, problem: Problem) -> None:
    assert adapt(raw) == problem


def write_rows(path: Path, *answers: str) -> str:
    """A data folder's file with one problem for each answer; gives its checksum."""
    rows = (json.dumps({"query": f"{i}?", "ref_answer": answer}) for i, answer in enumerate(answers))
    path.write_bytes(gzip.compress("\n".join(rows).encode(), mtime=0))
    return sha256_of(path)


def benchmark(sha256: str = "0" * 64, n_rows: int = 2, url: str = "https://127.0.0.1:9/two.json") -> Benchmark:
    return Benchmark(
        name="two",
        description="",
        n_rows=n_rows,
        remark="Its old address is withdrawn",
        sources=(
            FolderFile(file="two.jsonl.gz", n_rows=n_rows, sha256=sha256),
            WebFile(url=url, n_rows=n_rows, sha256=sha256, adapt=CANONICAL),
        ),
    )


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BENCHMARKS, "two", benchmark())
    monkeypatch.setenv("no_proxy", "*")


def test_the_folder_given_comes_before_the_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("given", "environment"):
        (tmp_path / name).mkdir()
        checksum = write_rows(tmp_path / name / "two.jsonl.gz", name, "2")
    monkeypatch.setenv("DARTUNE_DATA", str(tmp_path / "environment"))
    given = collect(open_benchmark(benchmark(checksum), tmp_path / "given"))
    assert [query.ref_answer for query in given.rows] == ["given", "2"]
    assert given.report.origin.checksum == "differs"
    assert [row.ref_answer for row in collect(open_benchmark(benchmark(checksum), None)).rows] == ["environment", "2"]
    other = collect(open_benchmark(benchmark(checksum), tmp_path)).report.origin
    assert other.checksum == "verified"
    assert [(attempt.source, attempt.failure) for attempt in other.tried] == [
        ("data folder (two.jsonl.gz)", f"{tmp_path}/two.jsonl.gz: no such file")
    ]


@pytest.mark.usefixtures("two")
def test_no_source_answering_is_one_error_that_lists_them_all() -> None:
    start = time.monotonic()
    with pytest.raises(DataError) as caught:
        load_queries(QueriesConfig(source="two"))
    assert time.monotonic() - start < 2
    assert str(caught.value) == (
        "two: no source answered: (1) data folder (two.jsonl.gz): neither queries.data_dir nor DARTUNE_DATA is set; "
        "(2) https://127.0.0.1:9/two.json: [Errno 111] Connection refused; name a folder that holds two.jsonl.gz by "
        "queries.data_dir (--data-dir) or DARTUNE_DATA, or connect to the network. Its old address is withdrawn"
    )


@pytest.mark.usefixtures("two")
def test_a_wrong_row_count_is_an_error_for_load_and_a_finding_for_check(tmp_path: Path) -> None:
    write_rows(tmp_path / "two.jsonl.gz", "1", "2", "3")
    config = QueriesConfig(source="two", data_dir=tmp_path)
    with pytest.raises(DataError) as caught:
        load_queries(config)
    assert str(caught.value) == (
        f"two: expected 2 rows in {tmp_path}/two.jsonl.gz, got 3; "
        "fetch it again, or name the file itself as the source to use it as it is"
    )
    check = check_queries(config)
    assert [finding.message for finding in check.findings] == [
        "expected 2 rows, got 3",
        f"the file is not the known one: its sha256 is {sha256_of(tmp_path / 'two.jsonl.gz')}",
    ]
    assert not check.is_ok
    assert len(load_queries(QueriesConfig(source=str(tmp_path / "two.jsonl.gz"))).queries) == 3


@pytest.mark.usefixtures("two")
def test_empty_references_of_a_benchmark_are_left_out_and_reported(tmp_path: Path) -> None:
    write_rows(tmp_path / "two.jsonl.gz", "1", "")
    loaded = load_queries(QueriesConfig(source="two", data_dir=tmp_path))
    assert [query.ref_answer for query in loaded.queries] == ["1"]
    assert loaded.report.empty_rows == (2,)
    assert loaded.report.n_rows == 2
    warnings = [
        finding.message
        for finding in check_queries(QueriesConfig(source="two", data_dir=tmp_path)).findings
        if finding.severity == "warning"
    ]
    assert warnings == ["left out for want of a text or a reference: line 2"]


def test_a_source_with_other_columns_has_not_answered(tmp_path: Path) -> None:
    write_rows(tmp_path / "two.jsonl.gz", "1", "2")
    odd = replace(benchmark(), sources=(FolderFile(file="two.jsonl.gz", n_rows=2, sha256="", adapt=gsm8k),))
    with pytest.raises(DataError, match=r"expected column 'answer', got columns query, ref_answer; name a folder"):
        open_benchmark(odd, tmp_path)


class Files(BaseHTTPRequestHandler):
    """Serves the bytes in `content`; other paths lead to plain http."""

    content = b'[{"query": "1?", "ref_answer": "1"}, {"query": "2?", "ref_answer": "2"}]'
    n_served = 0

    def do_GET(self) -> None:
        if self.path == "/two.json":
            type(self).n_served += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.content)
        else:
            self.send_response(302 if self.path == "/plain" else 404)
            self.send_header("Location", "http://127.0.0.1:9/two.json")
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def https_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: no certificate can be made for the https server")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]  # noqa: RUF005
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(Files, "n_served", 0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_is_fetched_once_and_kept(https_address: str, tmp_path: Path) -> None:
    checksum = hashlib.sha256(Files.content).hexdigest()
    asked = benchmark(checksum, url=f"{https_address}/two.json")
    for _ in range(2):
        rows, report = collect(open_benchmark(asked, None))
        assert [query.ref_answer for query in rows] == ["1", "2"]
        assert report.origin.checksum == "verified"
        assert report.origin.source == f"{https_address}/two.json"
        assert Path(str(report.origin.path)).is_relative_to(tmp_path / "cache" / "queries")
    assert Files.n_served == 1
    Path(str(report.origin.path)).write_bytes(b"spoiled")
    assert len(collect(open_benchmark(asked, None)).rows) == 2
    assert Files.n_served == 2
    assert [path.name for path in (tmp_path / "cache" / "queries").iterdir()] == [Path(str(report.origin.path)).name]


def test_other_content_than_the_known_is_not_kept(https_address: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"two.json: expected content of sha256 {'0' * 64}, got [0-9a-f]{{64}}$"):
        fetch(f"{https_address}/two.json", "0" * 64)
    assert not (tmp_path / "cache").exists()


def test_what_the_server_refuses_is_said(https_address: str) -> None:
    with pytest.raises(DataError, match=r"/gone.json: HTTP Error 404: Not Found$"):
        fetch(f"{https_address}/gone.json", "0" * 64)


def test_nothing_is_fetched_without_encryption(https_address: str) -> None:
    with pytest.raises(DataError, match=r"^http://127.0.0.1:9/two.json: expected an https address$"):
        fetch("http://127.0.0.1:9/two.json", "0" * 64)
    with pytest.raises(DataError, match=r"/plain: unknown url type: http$"):
        fetch(f"{https_address}/plain", "0" * 64)


def test_a_server_that_hangs_up_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(DataError, match=r"/two.json: "):
            fetch(f"https://127.0.0.1:{server.getsockname()[1]}/two.json", "0" * 64)
        thread.join()


def test_a_cache_that_cannot_be_written_stops_the_run(https_address: str, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(WriteError, match=r"cannot be written: .*; choose another folder by DARTUNE_CACHE"):
        fetch(f"{https_address}/two.json", None)
