"""One measurement of one peer: credential reports into typed columns in memory, or into Parquet with zstd at level 3.

    python peers.py ENGINE parse|parquet FOLDER --cores N --runs N --output PATH
    python peers.py digest PATH...

`benches/columns.py` runs it in a virtual environment that has the peers. FOLDER holds a few large CSV files, the reports of many
accounts without the headers between them: what each peer is fastest with. pyarrow and Polars are given their bytes in memory;
DuckDB reads files that the operating system holds in memory. All make the columns of orgsweep's `credentials` that stand in a
report's rows: booleans, times in milliseconds, null where AWS has a word in place of a value, and that word in a column beside.

`digest` says what is in Parquet files, whoever wrote them, independent of the order of rows: two that agree in rows, nulls, sums
and hashes hold the same table.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import time

HEADER = (
    "user arn user_creation_time password_enabled password_last_used password_last_changed password_next_rotation mfa_active "
    "access_key_1_active access_key_1_last_rotated access_key_1_last_used_date access_key_1_last_used_region "
    "access_key_1_last_used_service access_key_2_active access_key_2_last_rotated access_key_2_last_used_date "
    "access_key_2_last_used_region access_key_2_last_used_service cert_1_active cert_1_last_rotated cert_2_active "
    "cert_2_last_rotated"
).split()
FLAGS = ["mfa_active", "access_key_1_active", "access_key_2_active", "cert_1_active", "cert_2_active"]
WORDS = [name for name in HEADER if name.endswith(("_region", "_service"))]
TIMES = [name for name in HEADER if name.endswith(("_last_used", "_last_changed", "_next_rotation", "_last_rotated", "_last_used_date"))]
ROOT = "<root_account>"
ABSENT = "N/A"
# A time has twenty characters or more, and no word has as many.
TIME_LENGTH = 20


def columns():
    """The names of the typed columns, in the order of `credentials`."""
    for name in HEADER:
        yield name
        if name == "arn":
            yield "is_root"
        if name in TIMES or name == "password_enabled":
            yield f"{name}_reason"


class PyArrow:
    def __init__(self, pieces, cores):
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.csv
        import pyarrow.parquet as pq

        self.pa, self.pc, self.pq = pa, pc, pq
        pa.set_cpu_count(cores)
        self.time = pa.timestamp("ms", "UTC")
        self.pieces = [pa.py_buffer(piece.read_bytes()) for piece in pieces]
        types = {name: pa.bool_() if name in FLAGS else pa.string() for name in HEADER} | {"user_creation_time": self.time}
        self.convert = pa.csv.ConvertOptions(column_types=types, strings_can_be_null=False)
        self.read = pa.csv.ReadOptions(use_threads=cores > 1, block_size=4 << 20)

    def table(self, piece):
        pa, pc = self.pa, self.pc
        raw = pa.csv.read_csv(pa.BufferReader(piece), read_options=self.read, convert_options=self.convert)
        made = {}
        for name in HEADER:
            column = raw[name]
            if name in TIMES:
                there = pc.greater_equal(pc.binary_length(column), TIME_LENGTH)
                made[name] = pc.cast(pc.if_else(there, column, None), self.time)
                made[f"{name}_reason"] = pc.if_else(there, None, column)
            elif name == "password_enabled":
                there = pc.less_equal(pc.binary_length(column), 5)
                made[name] = pc.cast(pc.if_else(there, column, None), pa.bool_())
                made[f"{name}_reason"] = pc.if_else(there, None, column)
            elif name in WORDS:
                made[name] = pc.if_else(pc.equal(column, ABSENT), None, column)
            else:
                made[name] = column
            if name == "arn":
                made["is_root"] = pc.equal(raw["user"], ROOT)
        return pa.table(made)

    def parse(self):
        return sum(self.table(piece).num_rows for piece in self.pieces)

    def parquet(self, output):
        options = {"compression": "zstd", "compression_level": 3}
        writer, rows = None, 0
        for piece in self.pieces:
            table = self.table(piece)
            writer = writer or self.pq.ParquetWriter(output / "0.parquet", table.schema, **options)
            writer.write_table(table)
            rows += table.num_rows
        writer.close()
        return rows


class Polars:
    def __init__(self, pieces, cores):
        os.environ["POLARS_MAX_THREADS"] = str(cores)
        import polars as pl

        self.pl = pl
        self.pieces = [piece.read_bytes() for piece in pieces]
        self.schema = {name: pl.Boolean if name in FLAGS else pl.String for name in HEADER}
        col, when = pl.col, pl.when
        is_time = lambda name: col(name).str.len_bytes() >= TIME_LENGTH
        to_time = lambda column: column.str.strptime(pl.Datetime("ms"), "%Y-%m-%dT%H:%M:%SZ", strict=False).dt.replace_time_zone("UTC")
        made = {name: col(name) for name in HEADER}
        made["is_root"] = col("user") == ROOT
        made["user_creation_time"] = to_time(col("user_creation_time"))
        for name in TIMES:
            made[name] = to_time(col(name))
            made[f"{name}_reason"] = when(is_time(name)).then(None).otherwise(col(name))
        enabled = col("password_enabled")
        made["password_enabled"] = when(enabled == "true").then(True).when(enabled == "false").then(False)
        made["password_enabled_reason"] = when(enabled.str.len_bytes() > 5).then(enabled)
        for name in WORDS:
            made[name] = when(col(name) != ABSENT).then(col(name))
        self.typed = [made[name].alias(name) for name in columns()]

    def lazy(self, piece):
        return self.pl.scan_csv(piece, schema=self.schema).select(self.typed)

    def parse(self):
        return sum(self.lazy(piece).collect().height for piece in self.pieces)

    def parquet(self, output):
        for index, piece in enumerate(self.pieces):
            path = output / f"{index}.parquet"
            self.lazy(piece).sink_parquet(path, compression="zstd", compression_level=3)
        return None


class DuckDB:
    def __init__(self, pieces, cores):
        import duckdb

        self.db = duckdb.connect()
        self.db.execute(f"SET threads = {cores}; SET preserve_insertion_order = false; SET TimeZone = 'UTC'")
        self.pieces = [str(piece) for piece in pieces]
        made = {name: f'"{name}"' for name in HEADER}
        made["is_root"] = f"\"user\" = '{ROOT}'"
        # DuckDB has no milliseconds with a time zone.
        made["user_creation_time"] = '"user_creation_time"::TIMESTAMP_MS'
        for name in TIMES:
            there = f'strlen("{name}") >= {TIME_LENGTH}'
            made[name] = f'CASE WHEN {there} THEN "{name}"::TIMESTAMP_MS END'
            made[f"{name}_reason"] = f'CASE WHEN NOT {there} THEN "{name}" END'
        there = 'strlen("password_enabled") <= 5'
        made["password_enabled"] = f'CASE WHEN {there} THEN "password_enabled"::BOOLEAN END'
        made["password_enabled_reason"] = f'CASE WHEN NOT {there} THEN "password_enabled" END'
        for name in WORDS:
            made[name] = f"nullif(\"{name}\", '{ABSENT}')"
        self.typed = ", ".join(f'{made[name]} AS "{name}"' for name in columns())
        types = {name: "BOOLEAN" if name in FLAGS else "VARCHAR" for name in HEADER}
        self.types = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in types.items()) + "}"

    def select(self, pieces):
        files = ", ".join(f"'{piece}'" for piece in pieces)
        return f"SELECT {self.typed} FROM read_csv([{files}], header = true, delim = ',', quote = '\"', columns = {self.types})"

    def parse(self):
        rows = 0
        for piece in self.pieces:
            self.db.execute(f"CREATE OR REPLACE TEMP TABLE typed AS {self.select([piece])}")
            rows += self.db.execute("SELECT count(*) FROM typed").fetchone()[0]
        return rows

    def parquet(self, output):
        options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3"
        self.db.execute(f"COPY ({self.select(self.pieces)}) TO '{output}/0.parquet' ({options})")
        return None


ENGINES = {"pyarrow": PyArrow, "polars": Polars, "duckdb": DuckDB}


def measure(options):
    pieces = sorted(pathlib.Path(options.folder).iterdir())
    engine = ENGINES[options.engine](pieces, options.cores)
    output = pathlib.Path(options.output)

    def work():
        if options.task == "parse":
            return engine.parse()
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
        return engine.parquet(output)

    work()
    seconds = []
    for _ in range(options.runs):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    written = sum(file.stat().st_size for file in output.iterdir()) if options.task == "parquet" else 0
    return {"seconds": seconds, "written": written}


def digest(path):
    """What is in the Parquet files below a path, independent of the order of rows."""
    import polars as pl

    files = sorted(str(file) for file in pathlib.Path(path).rglob("*.parquet"))
    total = {"rows": 0, "rows_hash": 0}
    for file in files:
        frame = pl.read_parquet(file, columns=list(columns()), hive_partitioning=False)
        frame = frame.with_columns(pl.col(pl.Datetime).dt.replace_time_zone(None).dt.cast_time_unit("ms").cast(pl.Int64))
        frame = frame.with_columns(pl.col(pl.Boolean).cast(pl.Int64), pl.col(pl.Categorical).cast(pl.String))
        total["rows"] += frame.height
        total["rows_hash"] = (total["rows_hash"] + wrapping_sum(frame.hash_rows(seed=1))) % 2**64
        for name in columns():
            column = frame[name]
            sum_of = column.str.len_bytes().sum() if column.dtype == pl.String else column.sum()
            here = {"nulls": column.null_count(), "sum": sum_of or 0, "hash": wrapping_sum(column.hash(seed=1))}
            before = total.setdefault(name, dict.fromkeys(here, 0))
            total[name] = {key: (before[key] + value) % 2**64 for key, value in here.items()}
    return total


def wrapping_sum(hashes):
    """The sum of 64-bit hashes modulo 2**64, from the sums of their halves, which do not overflow."""
    return int((hashes & 0xFFFFFFFF).sum()) + (int((hashes // 2**32).sum()) << 32)


def main():
    if sys.argv[1] == "digest":
        print(json.dumps([digest(path) for path in sys.argv[2:]]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("task", choices=["parse", "parquet"])
    parser.add_argument("folder")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--output", required=True)
    print(json.dumps(measure(parser.parse_args())))


main()
