"""Downloads through the real rules, from a server on loopback that misbehaves on demand."""

import csv
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image

from trailers12k.common.files import sha256_of
from trailers12k.common.fingerprint import fingerprint

from .conftest import TINY, Project
from .web import Web, animation, marked, picture, video

HEAD = "mid,title,year,genres,youtube_id,trailer_url,poster_url,other_trailers"
QUICK = {"retries": 2, "timeout": 2, "retry_pause": 0, "private_addresses": True}
TARGETS = ["trailers", "posters"]


def mid_of(number: int) -> str:
    return f"tt{number:07d}"


def project_of(folder: Path, movies: list[tuple[str, str, str]], **config) -> Project:
    """A project with a table of trailers, posters and other trailers, of at least ten rows."""
    movies = movies + [("", "", "")] * (10 - len(movies))
    lines = [
        f"{mid_of(n)},Movie {n},2000,drama,,{trailer},{poster},{others}"
        for n, (trailer, poster, others) in enumerate(movies)
    ]
    settings = {"movies": "movies.csv", "shards": 1, "downloads": QUICK, **config}
    project = Project(folder, TINY | settings)
    (project.folder / "movies.csv").write_text("\n".join([HEAD, *lines]) + "\n")
    return project


def ledger(project: Project, stage: str = "trailers") -> dict[str, dict[str, str]]:
    path = project.folder / "build" / "ledger" / stage / "000.csv"
    with path.open(newline="") as file:
        return {row["mid"]: row for row in csv.DictReader(file)}


def leftovers(project: Project) -> list[Path]:
    """Temporary files, which a finished download removes."""
    leftover = [
        path
        for stage in TARGETS
        for pattern in ("*.part*", "*.ytdl", "*.tmp")
        for path in (project.folder / "build" / stage).rglob(pattern)
    ]
    return sorted(set(leftover))


def assert_whole(project: Project, web: Web, number: int) -> None:
    """The ledger's row and the file of a movie equal the server's file."""
    row, mid = ledger(project)[mid_of(number)], mid_of(number)
    assert row["status"] == "ok", row
    path = project.folder / row["file"]
    assert path.name == f"{mid}.mp4"
    assert path.read_bytes() == web.files[f"{mid}.mp4"]
    assert row["sha256"] == sha256_of(path)


def web_of(number: int, size: float = 2.0) -> Web:
    """A server with the trailers of this number of movies."""
    data = video(size)
    return Web({f"{mid_of(n)}.mp4": marked(data, mid_of(n)) for n in range(number)})


KINDS = {
    # kind: the reason of the failure, "" where the download must succeed.
    "good": "",
    "status-404": "unavailable",
    "status-410": "unavailable",
    "status-403": "forbidden",
    "status-500": "server_error",
    "busy": "",
    "redirect": "",
    "loop": "unavailable",
    "cut": "",
    "cut-norange": "",
    "cut-nolength": "truncated",
    "truncated": "truncated",
    "html": "not_video",
    "stall": "network",
    "page": "bad_id",
    "named": "",
    "good-whole": "",
    "good-long": "",
    "good-other": "",
}


def test_the_ledger_is_correct_whatever_the_server_does_and_a_rerun_completes_it(tmp_path):
    with web_of(len(KINDS)) as web:
        urls = [
            f"{web.url}/{'good' if kind.startswith('good') else kind}/{mid_of(n)}.mp4"
            for n, kind in enumerate(KINDS)
        ]
        page = list(KINDS).index("page")
        urls[page] = urls[page].removesuffix(".mp4")
        web.files[mid_of(page)] = web.files[f"{mid_of(page)}.mp4"]
        project = project_of(tmp_path / "project", [(url, "", "") for url in urls])
        # Partial downloads of another run: a complete one, one that is longer than the file (which
        # gives HTTP 416), and one of another format.
        lefts = (
            ("good-whole", "mp4.unknown_video", ""),
            ("good-long", "mp4.unknown_video", "x"),
            ("good-other", "22", ""),
        )
        for kind, name, more in lefts:
            n = list(KINDS).index(kind)
            folder = f"{mid_of(n)}.{fingerprint(address=urls[n])}.partial"
            part = project.folder / "build" / "trailers" / folder / f"{name}.part"
            part.parent.mkdir(parents=True)
            part.write_bytes(web.files[f"{mid_of(n)}.mp4"] + 5000 * more.encode())

        project.build(*TARGETS)
        rows = ledger(project)
        reasons = {kind: rows[mid_of(n)]["reason"] for n, kind in enumerate(KINDS)}
        assert reasons == KINDS
        for n, kind in enumerate(KINDS):
            if not KINDS[kind]:
                assert_whole(project, web, n)
            else:
                assert rows[mid_of(n)]["detail"], kind
                assert not list((project.folder / "build" / "trailers").glob(f"{mid_of(n)}.mp4"))
        cut = mid_of(list(KINDS).index("cut"))
        assert any(path.endswith(f"{cut}.mp4") for path, _ in web.ranges), "it was resumed"
        assert all("trailers12k" in agent for agent in web.agents)
        assert not list(tmp_path.rglob("*evil*")), "no file is written elsewhere"

        web.mended = True
        before = dict(web.requests)
        project.build(*TARGETS, "--config", "retry=all")
        for n, kind in enumerate(KINDS):
            path = urls[n].removeprefix(web.url)
            assert (web.requests[path] == before[path]) == (not KINDS[kind]), kind
            if kind != "page":
                assert_whole(project, web, n)
        assert ledger(project)[mid_of(page)]["status"] == "ok"
        assert leftovers(project) == []
        before = dict(web.requests)
        assert "Nothing to be done" in project.build(*TARGETS).text
        assert web.requests == before


def test_final_failures_are_retried_on_request_only_and_others_after_a_pause(tmp_path):
    with web_of(3) as web:
        urls = [f"{web.url}/page/{mid_of(0)}", f"{web.url}/status-500/{mid_of(1)}.mp4"]
        # Without one good trailer the run would end.
        urls.append(f"{web.url}/good/{mid_of(2)}.mp4")
        slow = QUICK | {"retries": 0, "retry_pause": 3600}
        project = project_of(tmp_path / "p", [(url, "", "") for url in urls], downloads=slow)
        project.build("trailers")
        assert ledger(project)[mid_of(0)]["reason"] == "bad_id"
        web.mended = True
        web.files[mid_of(0)] = web.files[f"{mid_of(0)}.mp4"]
        requests = sum(web.requests.values())
        assert "Nothing to be done" in project.build("trailers").text
        assert sum(web.requests.values()) == requests
        project.build("trailers", "--config", "retry=server_error")
        assert_whole(project, web, 1)
        assert ledger(project)[mid_of(0)]["reason"] == "bad_id"
        assert ledger(project)[mid_of(1)]["attempts"] == "2"
        # The same command without the request has nothing to do.
        assert "Nothing to be done" in project.build("trailers").text
        project.build("trailers", "--config", "retry=bad_id")
        assert ledger(project)[mid_of(0)]["status"] == "ok"


def test_the_next_trailer_is_tried_when_the_first_is_unavailable_and_recorded(tmp_path):
    with web_of(2) as web:
        good = f"{web.url}/good/{mid_of(0)}.mp4"
        movies = [
            (f"{web.url}/page/x", "", f"{web.url}/status-404/y.mp4|{good}"),
            (f"{web.url}/status-500/z.mp4", "", good),
        ]
        project = project_of(tmp_path / "project", movies)
        project.build("metadata")
        row = ledger(project)[mid_of(0)]
        assert_whole(project, web, 0)
        assert (row["trailer"], row["address"]) == ("2", good)
        assert "trailers[0] bad_id" in row["detail"] and "trailers[1] unavailable" in row["detail"]
        assert ledger(project)[mid_of(1)]["reason"] == "server_error", "a retry may succeed"
        entries = json.loads((project.folder / "data" / "metadata.json").read_text())
        trailers = entries["trailers12k"]["1"]["youtube"]["trailers"]
        assert [trailer["url"] for trailer in trailers][0] == good
        assert trailers[0]["dims"] == [2.0, 48, 64] and len(trailers) == 3


def test_a_rate_limit_stops_all_downloads_and_the_same_command_continues(tmp_path):
    with web_of(6) as web:
        kinds = ["good", "status-429", "good", "good", "good", "good"]
        urls = [f"{web.url}/{kind}/{mid_of(n)}.mp4" for n, kind in enumerate(kinds)]
        project = project_of(
            tmp_path / "project", [(url, "", "") for url in urls], trailers={"parallel": 1}
        )
        run = project.run("clips", "results/failures/trailers.csv")
        assert run.code != 0
        assert "4 movies were not begun, since downloading was stopped" in run.text
        assert "delete build/stopped.json" in run.text and "minutes are left" in run.text
        rows = ledger(project)
        assert_whole(project, web, 0)
        assert rows[mid_of(1)]["reason"] == "rate_limited"
        assert {rows[mid_of(n)]["reason"] for n in range(2, 6)} == {"stopped"}
        assert (project.folder / "data" / "clips.csv").is_file(), "later stages continue"
        assert "stopped" in project.command("status").text

        web.mended = True
        requests = sum(web.requests.values())
        assert project.run("clips", "results/failures/trailers.csv").code != 0
        assert sum(web.requests.values()) == requests, "no request during the cool-down"
        stopped = project.folder / "build" / "stopped.json"
        stopped.write_text(json.dumps(json.loads(stopped.read_text()) | {"until": time.time()}))
        project.build("clips", "results/failures/trailers.csv", "--config", "retry=rate_limited")
        for n in range(6):
            assert_whole(project, web, n)
        assert web.requests[f"/good/{mid_of(0)}.mp4"] == 2, (
            "requested twice, for the headers and the file"
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="a tmpfs can be mounted by root only")
def test_a_full_disk_stops_all_downloads_and_loses_nothing(tmp_path):
    with web_of(12, size=20) as web:
        urls = [f"{web.url}/good/{mid_of(n)}.mp4" for n in range(12)]
        project = project_of(
            tmp_path / "project", [(url, "", "") for url in urls], trailers={"parallel": 2}
        )
        folder = project.folder / "build" / "trailers"
        folder.mkdir(parents=True)
        size = 5 * len(web.files[f"{mid_of(0)}.mp4"])
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if (done := subprocess.run(mount, capture_output=True, text=True)).returncode:
            pytest.skip(f"no tmpfs: {done.stderr}")
        try:
            run = project.run("trailers")
            assert run.code != 0 and "the disk is full" in run.text, run.text
            rows = ledger(project)
            good = [n for n in range(12) if rows[mid_of(n)]["status"] == "ok"]
            assert 2 <= len(good) <= 4
            reasons = {row["reason"] for row in rows.values()}
            assert reasons == {"", "local_io", "stopped"}
            before = dict(web.requests)
            subprocess.run(["mount", "-o", "remount,size=100m", str(folder)], check=True)
            project.build("trailers")
            for n in range(12):
                assert_whole(project, web, n)
            path = f"/good/{mid_of(good[0])}.mp4"
            assert web.requests[path] == before[path]
            assert leftovers(project) == []
        finally:
            subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_an_interrupted_run_continues(tmp_path, how):
    with web_of(3, size=20) as web:
        kinds = ["good", "good", "slow"]
        urls = [f"{web.url}/{kind}/{mid_of(n)}.mp4" for n, kind in enumerate(kinds)]
        project = project_of(tmp_path / "project", [(url, "", "") for url in urls])
        folder = project.folder / "build" / "trailers"
        running = project.start("trailers")
        deadline = time.monotonic() + 60
        done = [folder / f"{mid_of(n)}.json" for n in range(2)]
        while not all(path.exists() for path in done) or not any(
            part.stat().st_size > 8000 for part in folder.glob(f"{mid_of(2)}.*/*.part")
        ):
            assert time.monotonic() < deadline and running.poll() is None
            time.sleep(0.05)
        os.killpg(running.pid, how)
        running.communicate(timeout=60)
        assert running.returncode != 0
        assert not (folder / f"{mid_of(2)}.mp4").exists()
        if how == signal.SIGKILL:
            project.run("--unlock")
        web.mended = True
        before = dict(web.requests)
        project.build("trailers")
        for n in range(3):
            assert_whole(project, web, n)
        assert any(start > 0 for path, start in web.ranges if "slow" in path), "it was continued"
        for n in range(2):
            path = urls[n].removeprefix(web.url)
            assert web.requests[path] == before[path]
        assert leftovers(project) == []


def test_missing_local_files_end_the_run_before_any_job_and_broken_ones_wait_for_a_change(tmp_path):
    local = QUICK | {"local_files": True}
    names = ["good.mp4", "broken.mp4", "missing.mp4", "missing too.mp4"]
    project = project_of(tmp_path / "p", [(name, "", "") for name in names], downloads=local)
    (project.folder / "good.mp4").write_bytes(video(2))
    (project.folder / "broken.mp4").write_bytes(video(2)[:2000])
    run = project.run()
    assert run.code != 0 and not run.jobs and "Traceback" not in run.text
    (error,) = [line for line in run.text.splitlines() if line.startswith("error: ")]
    assert error.startswith("error: movies.csv, line 4: trailer_url: missing.mp4 does not exist; ")
    assert "2 of 4 local files cannot be read" in error

    for name in names[2:]:
        (project.folder / name).write_bytes(video(2))
    project.build("trailers")
    rows = ledger(project)
    assert [rows[mid_of(n)]["status"] for n in range(4)] == ["ok", "failed", "ok", "ok"]
    # The pause is 0, and still no time brings a retry.
    assert "Nothing to be done" in project.build("trailers").text
    (project.folder / "broken.mp4").write_bytes(video(2))
    project.build("trailers")
    row = ledger(project)[mid_of(1)]
    assert (row["status"], row["attempts"], row["address"]) == ("ok", "1", "broken.mp4")
    assert "Nothing to be done" in project.build("trailers").text


POSTERS = {
    # name: the file, the reason or "", and how the server behaves
    "rgb.jpg": (picture("JPEG", "RGB"), "", "good"),
    "grey.jpg": (picture("JPEG", "L"), "", "good"),
    "cmyk.jpg": (picture("JPEG", "CMYK"), "", "busy"),
    "alpha.png": (picture("PNG", "RGBA"), "", "redirect"),
    "deep.png": (picture("PNG", "I;16"), "", "good"),
    "flat.webp": (picture("WEBP", "RGB"), "", "good"),
    "moving.gif": (animation(), "", "good"),
    "text.jpg": (b"<html></html>", "not_image", "good"),
    "cut.jpg": (picture("JPEG", "RGB")[:300], "not_image", "good"),
    "large.jpg": (bytes(2_000_000), "too_large", "good"),
    "gone.jpg": (picture("JPEG", "RGB"), "unavailable", "status-404"),
    "forbidden.jpg": (picture("JPEG", "RGB"), "forbidden", "status-403"),
    "broken.jpg": (picture("JPEG", "RGB"), "server_error", "status-500"),
    "loop.jpg": (picture("JPEG", "RGB"), "unavailable", "loop"),
    "stall.jpg": (picture("JPEG", "RGB"), "network", "stall"),
    "half.jpg": (picture("JPEG", "RGB"), "network", "cut-norange"),
}


def test_posters_of_every_kind_become_rgb_jpegs_or_failures(tmp_path):
    with Web({name: data for name, (data, _, _) in POSTERS.items()}) as web:
        movies = [("", f"{web.url}/{kind}/{name}", "") for name, (_, _, kind) in POSTERS.items()]
        project = project_of(tmp_path / "project", movies, posters={"max_megabytes": 1})
        project.build("posters")
        assert all("trailers12k" in agent for agent in web.agents)
        rows = ledger(project, "posters")
        reasons = {name: rows[mid_of(n)]["reason"] for n, name in enumerate(POSTERS)}
        assert reasons == {name: reason for name, (_, reason, _) in POSTERS.items()}
        for row in rows.values():
            if row["status"] == "ok":
                with Image.open(project.folder / row["file"]) as image:
                    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (40, 60))
        web.mended = True
        before = dict(web.requests)
        project.build("posters")
        assert web.requests["/good/rgb.jpg"] == before["/good/rgb.jpg"]
        assert ledger(project, "posters")[mid_of(list(POSTERS).index("half.jpg"))]["status"] == "ok"
        assert leftovers(project) == []


def test_too_many_failures_fail_the_run_after_all_other_jobs(tmp_path):
    with web_of(2) as web:
        urls = [f"{web.url}/good/{mid_of(0)}.mp4", f"{web.url}/status-404/{mid_of(1)}.mp4"]
        project = project_of(
            tmp_path / "project", [(url, "", "") for url in urls], max_failure_rate=0.4
        )
        run = project.run("clips", "results/failures/trailers.csv")
        assert run.code != 0
        assert "trailers: 1 of 2 failed (unavailable 1), and max_failure_rate is 0.4" in run.text
        assert (project.folder / "data" / "clips.csv").is_file()
        project.config["max_failure_rate"] = 0.5
        project.build("clips", "results/failures/trailers.csv")


def test_status_shows_the_progress_during_a_run(tmp_path):
    with web_of(3, size=20) as web:
        kinds = ["good", "status-404", "slow"]
        urls = [f"{web.url}/{kind}/{mid_of(n)}.mp4" for n, kind in enumerate(kinds)]
        project = project_of(tmp_path / "project", [(url, "", "") for url in urls])
        running = project.start("trailers")
        folder = project.folder / "build" / "trailers"
        try:
            deadline = time.monotonic() + 60
            while len(list(folder.glob("*.json"))) < 2:
                assert time.monotonic() < deadline and running.poll() is None
                time.sleep(0.05)
            text = project.command("status", "--csv", "status.csv").text
            assert running.poll() is None, "the run was not finished yet"
        finally:
            os.killpg(running.pid, signal.SIGKILL)
        row = next(line.split() for line in text.splitlines() if line.startswith("trailers "))
        assert row[:5] == ["trailers", "1", "1", "0", "8"]
        assert "failed: unavailable 1" in text
        with (project.folder / "status.csv").open(newline="") as file:
            table = {row["stage"]: row for row in csv.DictReader(file)}
        assert table["trailers"]["done"] == "1" and table["trailers"]["waiting"] == "8"
        assert int(table["trailers"]["bytes"]) == len(web.files[f"{mid_of(0)}.mp4"])
