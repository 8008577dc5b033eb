"""Measures what becomes of credential reports, side by side on the same files and cores: orgsweep, arrow-csv, pyarrow, DuckDB and
Polars, and beside them what the machine allows. One command, which makes the reports, the virtual environment with the peers
(under target/), and one table; the figures also go to target/columns.json.

    cargo build --release && python3 benches/columns.py [--small] [--runs 3] [--shapes large,usual,little] [--cores 1,2]

Three tasks, in the three shapes that organizations have:

 1. parse: reports in memory to typed columns: booleans, times in milliseconds, null where AWS has a word in place of a value, and the
    word in a column beside. Columns that are the same in a whole report (account, when it was made) are orgsweep's alone.
 2. Parquet: the same into Parquet with zstd at level 3, the table `credentials` alone.
 3. lake: files to a committed lake of four tables with all checks: `orgsweep ingest`, which no peer does.

orgsweep is given each report by itself, small ones many to a batch, and sorts their users. The peers are given a few large files, the reports without the headers
between them, since that is what they are fastest with. Each runs in a process of its own, pinned to its cores, once to warm up and
then --runs times, of which the median counts. What a peer wrote is read back and compared with what orgsweep wrote, in rows, nulls,
sums and hashes of every column: a peer that made another table is told, and does not count.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "target"
BINARY = TARGET / "release" / "orgsweep"
PEERS = ["pyarrow==25.0.1", "duckdb==1.5.6", "polars==2.1.0"]
NOW = "2026-11-22T10:00:00Z"
SHAPES = {"large": (817, 5000), "usual": (20_000, 50), "little": (100_000, 5)}
SMALL = {"large": (20, 5000), "usual": (500, 50), "little": (2_500, 5)}
PIECE_BYTES = 64 << 20
PYTHON_ENGINES = ["pyarrow", "duckdb", "polars"]


def run(command, **options):
    finished = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if finished.returncode not in (0, 3):
        sys.exit(f"{command} ended with {finished.returncode}:\n{finished.stderr}")
    return finished.stdout


def python_with_peers():
    folder = TARGET / "columns-venv"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        run([folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS])
        (folder / "complete").touch()
    return folder / "bin" / "python"


def rust_bench():
    """The binary of benches/columns.rs, built if it is not."""
    command = ["cargo", "bench", "-p", "orgsweep-benches", "--bench", "columns", "--no-run", "--message-format", "json"]
    messages = map(json.loads, run(command, cwd=ROOT).splitlines())
    return next(it["executable"] for it in messages if it.get("executable") and it["target"]["name"] == "columns")


def reports(shape, accounts, users):
    """The folder of a shape's reports, and the folder with the same as a few large files; both made if they are not there."""
    folder = TARGET / "columns" / f"{accounts}x{users}"
    files, pieces = folder / "reports", folder / "pieces"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        pieces.mkdir(parents=True)
        run([BINARY, "sim-reports", files, "--accounts", accounts, "--users-per-account", users, "--seed", 7, "--now", NOW, "--measured"])
        write_pieces(sorted(files.iterdir()), pieces)
        (folder / "complete").touch()
    bytes_of = sum(entry.stat().st_size for entry in os.scandir(files))
    print(f"{shape}: {accounts:,} reports of {users:,} users, {bytes_of / 1e6:,.1f} MB of CSV")
    return files, pieces, bytes_of, accounts * (users + 1)


def write_pieces(files, pieces):
    piece, index = None, 0
    for file in files:
        csv = file.read_bytes()
        if piece is None or piece.tell() >= PIECE_BYTES:
            piece = (pieces / f"{index:03}.csv").open("wb")
            index += 1
            piece.write(csv)
        else:
            piece.write(b"\n" + csv.split(b"\n", 1)[1])
    piece.close()


class Bench:
    def __init__(self, options):
        self.runs = options.runs
        self.python, self.rust = python_with_peers(), rust_bench()
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="columns-", dir=TARGET))
        self.home = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}

    def pinned(self, cores, command):
        places = ",".join(map(str, sorted(os.sched_getaffinity(0))[:cores]))
        return run(["taskset", "-c", places, *command], env=self.home, cwd=self.scratch)

    def rust_figure(self, what, files, cores, output=None):
        flags = ["--cores", cores, "--runs", self.runs] + (["--output", output] if output else [])
        return json.loads(self.pinned(cores, [self.rust, what, files, *flags]))

    def python_figure(self, engine, task, pieces, cores, output):
        command = [self.python, "-B", "-E", ROOT / "benches" / "peers.py", engine, task, pieces]
        return json.loads(self.pinned(cores, [*command, "--cores", cores, "--runs", self.runs, "--output", output]))

    def digests(self, outputs):
        digest = [self.python, "-B", "-E", ROOT / "benches" / "peers.py", "digest", *outputs]
        return json.loads(run(digest, env=self.home))

    def ingest(self, files, cores):
        """Seconds, peak bytes and written bytes of whole ingests."""
        seconds = []
        for _ in range(self.runs):
            lake = self.scratch / "lake"
            shutil.rmtree(lake, ignore_errors=True)
            command = [BINARY, "ingest", files, "--lake", lake, "--generated-at", NOW, "--format", "json", "-q"]
            started = time.perf_counter()
            summary = json.loads(self.pinned(cores, command))
            seconds.append(time.perf_counter() - started)
        tables = {table["name"]: table for table in summary["tables"]}
        rows, written = tables["credentials"]["rows"], tables["credentials"]["bytes"]
        lake_bytes = sum(table["bytes"] for table in tables.values())
        return {"seconds": seconds, "rows": rows, "written": written, "lake_bytes": lake_bytes, "findings": tables["findings"]["rows"],
                "peak": summary["peak_memory_bytes"], "quarantined": summary["quarantined_rows"]}

    def bare_read(self, files):
        """Seconds that it takes to read all files, and to do nothing with them, on one core."""
        script = "import os,sys\nfor e in os.scandir(sys.argv[1]):\n f=os.open(e.path,os.O_RDONLY)\n while os.read(f,1<<22): pass\n os.close(f)"
        seconds = []
        for _ in range(self.runs + 1):
            started = time.perf_counter()
            self.pinned(1, [self.python, "-I", "-c", script, files])
            seconds.append(time.perf_counter() - started)
        return {"seconds": seconds[1:]}


def measure_shape(bench, shape, size, core_counts):
    files, pieces, bytes_of, rows = reports(shape, *size)
    figures = []

    def note(task, name, cores, figure):
        figure |= {"shape": shape, "task": task, "name": name, "cores": cores, "bytes": bytes_of, "rows": figure.get("rows") or rows}
        figure["MB/s"] = bytes_of / 1e6 / statistics.median(figure["seconds"])
        figures.append(figure)
        print(f"  {task:8} {name:12} {cores} core(s) {figure['MB/s']:10,.0f} MB/s", flush=True)

    note("read", "files", 1, bench.bare_read(files))
    for cores in core_counts:
        for name, what in [("memory", "memory"), ("simd-csv", "split-simd-csv"), ("csv", "split-csv")]:
            note("limit", name, cores, bench.rust_figure(what, files, cores))
        for engine in ["orgsweep", "arrow-csv"]:
            note("parse", engine, cores, bench.rust_figure(f"parse-{engine}", files, cores))
            note("parquet", engine, cores, bench.rust_figure(f"parquet-{engine}", files, cores, bench.scratch / engine))
        for engine in PYTHON_ENGINES:
            for task in ["parse", "parquet"]:
                note(task, engine, cores, bench.python_figure(engine, task, pieces, cores, bench.scratch / engine))
        hold_equal(bench, figures, cores)
        note("lake", "orgsweep", cores, bench.ingest(files, cores))
    return figures


def hold_equal(bench, figures, cores):
    """Marks the figures of whoever made another table than orgsweep did."""
    engines = ["orgsweep", "arrow-csv", *PYTHON_ENGINES]
    digests = dict(zip(engines, bench.digests([bench.scratch / engine for engine in engines])))
    for figure in figures:
        if figure["cores"] == cores and figure["name"] in digests and figure["task"] in ("parse", "parquet"):
            differs = [key for key, value in digests["orgsweep"].items() if digests[figure["name"]].get(key) != value]
            figure["equal"] = not differs
            if differs:
                print(f"  {figure['name']} makes another table: {', '.join(differs)}", flush=True)


def show(figures, core_counts):
    """The table, in Markdown."""
    shapes = list(dict.fromkeys(figure["shape"] for figure in figures))
    columns = [(shape, cores) for shape in shapes for cores in core_counts]
    print("\n| MB of CSV a second | " + " | ".join(f"{shape}, {cores} core{'s' * (cores > 1)}" for shape, cores in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    by_row = {}
    for figure in figures:
        row = by_row.setdefault((figure["task"], figure["name"]), {})
        row[figure["shape"], figure["cores"]] = f"{figure['MB/s']:,.0f}" if figure.get("equal", True) else "another table"
    for (task, name), row in by_row.items():
        print(f"| {task}: {name} | " + " | ".join(row.get(column, "") for column in columns) + " |")
    print("\nBytes of Parquet a row of `credentials`:")
    for figure in figures:
        if figure.get("written") and figure["cores"] == core_counts[0]:
            print(f"  {figure['shape']:8} {figure['task']:8} {figure['name']:12} {figure['written'] / figure['rows']:8.2f}")
    for figure in figures:
        if figure["task"] == "lake":
            print(f"ingest, {figure['shape']}, {figure['cores']} core(s): {figure['rows']:,} rows, {figure['findings']:,} findings, "
                  f"{statistics.median(figure['seconds']):.1f} s, peak {figure['peak'] / 2**20:,.0f} MiB, lake {figure['lake_bytes'] / 1e6:,.1f} MB")


def processor():
    """The machine's name for its processor."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a fortieth of everything, to see whether it works")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--shapes", type=lambda given: given.split(","), default=list(SHAPES))
    parser.add_argument("--cores", type=lambda given: [int(count) for count in given.split(",")], default=[1, 2])
    options = parser.parse_args()
    if not BINARY.exists():
        sys.exit("there is no release build: run `cargo build --release` first")
    sizes = SMALL if options.small else SHAPES
    bench = Bench(options)
    try:
        figures = [it for shape in options.shapes for it in measure_shape(bench, shape, sizes[shape], options.cores)]
    finally:
        shutil.rmtree(bench.scratch, ignore_errors=True)
    show(figures, options.cores)
    machine = {"processor": processor(), "cores": os.cpu_count(), "date": time.strftime("%Y-%m-%d"), "peers": PEERS}
    print(f"\n{machine['processor']}, {machine['cores']} cores, {machine['date']}")
    (TARGET / "columns.json").write_text(json.dumps({"machine": machine, "figures": figures}, indent=1))


main()
