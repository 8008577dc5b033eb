"""Measures the whole sweep in real time: a release build of orgsweep against a simulated organization in a separate
process, over HTTP, beside a boto3 script with 32 threads that makes the same calls for some of the accounts.

    cargo build --release && python3 benches/sweep.py [--accounts 10000] [--users 25] [--runs 3] [--boto3-accounts 500]
    cargo build --release && python3 benches/sweep.py --sizes 1000,10000,50000 --runs 1

With --sizes it measures the sweep alone, at each number of accounts: peak memory should not grow with it.

CPU seconds and peak memory are the operating system's own for each finished process; the simulation's requests a second are
those that it answered in one second of its own CPU. boto3 is taken from the python3
that runs this, or else from a virtual environment made under target/.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "target" / "release" / "orgsweep"
BOTO3 = "boto3==1.43.11"


def measured(command, environment):
    """Runs a command; its stdout, CPU seconds, wall seconds and peak megabytes."""
    started = os.times().elapsed
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode not in (0, 3):
            sys.exit(f"{command} ended with {process.returncode}:\n{err.read().decode()}")
        wall = os.times().elapsed - started
        return out.read().decode(), usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def python_with_boto3():
    try:
        import boto3  # noqa: F401

        return sys.executable
    except ImportError:
        folder = ROOT / "target" / "bench-venv"
        if not (folder / "bin" / "python").exists():
            venv.create(folder, with_pip=True)
            subprocess.run([folder / "bin" / "pip", "install", "--quiet", BOTO3], check=True)
        return str(folder / "bin" / "python")


def start_sim(options):
    command = [BINARY, "sim", "--accounts", str(options.accounts), "--users-per-account", str(options.users), "--seed", "7"]
    sim = subprocess.Popen(command + ["--profile", "instant"], stdout=subprocess.PIPE, text=True)
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
    for line in sim.stdout:
        if line.startswith("export "):
            name, value = line.removeprefix("export ").strip().split("=", 1)
            environment[name] = value
        if line.startswith("export AWS_DEFAULT_REGION"):
            return sim, environment
    sys.exit("the simulated organization did not start")


def one_sweep(options, environment):
    with tempfile.TemporaryDirectory() as lake:
        command = [BINARY, "scan", "--lake", lake, "--format", "json", "--no-pacing", "-q"]
        out, cpu, wall, peak = measured(command, environment)
        summary = json.loads(out)
        accounts = summary["coverage"]["planned"] - summary["coverage"]["skipped"]
        rows = {table["name"]: table["rows"] for table in summary["tables"]}
        return {
            "CPU ms an account": 1000 * cpu / accounts,
            "accounts/s": accounts / wall,
            "peak MB": peak,
            "requests an account": summary["calls"]["requests"] / accounts,
            "requests": summary["calls"]["requests"],
            "wall s": wall,
            "credential rows": rows["credentials"],
        }


def against_fresh_sim(options, work):
    """The work's result, and the CPU seconds that the simulation took over it."""
    sim, environment = start_sim(options)
    try:
        result = work(options, environment)
    finally:
        sim.terminate()
        _, status, usage = os.wait4(sim.pid, 0)
        sim.returncode = os.waitstatus_to_exitcode(status)
    return result, usage.ru_utime + usage.ru_stime


def sweep_figures(options):
    figures, sim_cpu = against_fresh_sim(options, one_sweep)
    figures["simulation, requests/s"] = figures.pop("requests") / sim_cpu
    return figures


def show(name, runs):
    print(f"\n{name}")
    for figure in runs[0]:
        values = [run[figure] for run in runs]
        print(f"  {figure:22} median {statistics.median(values):10.2f}   min {min(values):10.2f}   max {max(values):10.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=10000)
    parser.add_argument("--users", type=int, default=25)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--boto3-accounts", type=int, default=500)
    parser.add_argument("--sizes", type=lambda sizes: [int(size) for size in sizes.split(",")])
    options = parser.parse_args()
    if not BINARY.exists():
        sys.exit("there is no release build: run `cargo build --release` first")
    for options.accounts in options.sizes or []:
        show(f"orgsweep, {options.accounts} members x {options.users} users", [sweep_figures(options) for _ in range(options.runs)])
    if options.sizes:
        return
    python = python_with_boto3()
    # Each sweep meets a fresh simulation, whose reports are not made yet.
    runs = [sweep_figures(options) for _ in range(options.runs)]
    script = [python, str(ROOT / "benches" / "boto3_sweep.py"), "orgsweep-scanner", str(options.boto3_accounts)]
    (out, cpu, wall, peak), _ = against_fresh_sim(options, lambda _, environment: measured(script, environment))
    show(f"orgsweep, {options.accounts} members x {options.users} users", runs)
    accounts = json.loads(out)["accounts"]
    peer = {"CPU ms an account": 1000 * cpu / accounts, "accounts/s": accounts / wall, "peak MB": peak, "wall s": wall}
    show(f"boto3, 32 threads, {accounts} of them, no checks and no tables", [peer])
    ratio = peer["CPU ms an account"] / statistics.median(run["CPU ms an account"] for run in runs)
    print(f"\nCPU an account: boto3 needs {ratio:.0f} times as much")


main()
