"""What the comparisons with other libraries share: environments from PyPI, workers that answer
requests, rounds in turn, the check of the numbers and the table."""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
BUILD = TARGET / "peers"
DATA = BUILD / "data"

# Seconds that a form may take beyond three rounds of its task.
SLOW = 10
# Largest relative error of an answer.
LIMITS = {"f64": 1e-9, "f32": 1e-3}

def say(*words):
    print(*words, file=sys.stderr, flush=True)


def python(name):
    return BUILD / name / "bin" / "python"


def build_environment(name, requirements):
    """A Python environment; what cannot be installed is named and left out."""
    wanted = (HERE / requirements).read_text()
    done = BUILD / f"{name}.txt"
    if done.exists() and done.read_text() == wanted:
        return
    say("building the Python environment in", BUILD / name)
    venv.create(BUILD / name, with_pip=True)
    install = [python(name), "-m", "pip", "install", "--quiet"]
    if subprocess.run([*install, "-r", HERE / requirements]).returncode == 0:
        done.write_text(wanted)
        return
    for line in wanted.splitlines():
        if not line.startswith("#") and subprocess.run([*install, line]).returncode:
            say("could not install", line)


def our_program(options):
    build = ["cargo", "build", "--release", "--bench", "tasks", "--message-format=json", *options]
    lines = subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = map(json.loads, lines.splitlines())
    built = [m for m in messages if m.get("executable") and m["target"]["name"] == "tasks"]
    return built[-1]["executable"]


class Worker:
    """A process that answers requests, on so many cores."""

    def __init__(self, command, threads, quick):
        cores = sorted(os.sched_getaffinity(0))[-threads:]
        names = ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        own = {name: str(threads) for name in names}
        own["TORCHINDUCTOR_CACHE_DIR"] = str(BUILD / "inductor")
        if threads == 1:
            own["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        if quick:
            own["PEERS_QUICK"] = "1"
        self.log = open(BUILD / f"{Path(command[-2]).stem}.log", "a+")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=os.environ | own,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        self.name = self.read()["peer"]

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise EOFError(f"its process ended; see {self.log.name}")
        return json.loads(line)

    def ask(self, *words):
        """The reply; that of a worker whose process has ended is a failure."""
        try:
            print(*words, file=self.process.stdin, flush=True)
            return self.read()
        except (BrokenPipeError, EOFError) as reason:
            return {"failed": str(reason), "forms": []}

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def start(program, peers, threads, quick, own_python):
    """Our worker, and those peers that start."""
    commands = [[program, "work", DATA]]
    commands += [[own_python or python(name), HERE / peer, DATA] for peer, name in peers.items()]
    workers = []
    for command in commands:
        try:
            workers.append(Worker(command, threads, quick))
        except (EOFError, OSError) as reason:
            say(f"{command[1]} could not be started: {reason}")
    return workers


def compare(workers, task, dtype, threads, seconds, rounds):
    """Rows of one task, ours first; what was left out; what differs."""
    forms, left_out, wrong = [], [], []
    for worker in workers:
        for form in worker.ask("forms", task, dtype)["forms"]:
            reply = worker.ask("check", task, dtype, 0, form)
            where = f"{task} {dtype}, {threads} threads, {worker.name}, {form}"
            if "errors" in reply:
                worst = max(reply["errors"].values(), default=0.0)
                if worst <= LIMITS[dtype]:
                    forms.append((worker, form, worst, []))
                else:
                    wrong.append(f"{where}: {reply['errors']}")
            else:
                reason = reply.get("skipped") or reply["failed"]
                left_out.append(f"{worker.name}, {form} ({task.split('-')[0]}): {reason}")
    spent = [0.0] * len(forms)
    for _ in range(rounds):
        for k, (worker, form, _, times) in enumerate(forms):
            # A slow form has fewer rounds; our own has all of them.
            if k == 0 or spent[k] < 3 * seconds + SLOW:
                start = time.monotonic()
                reply = worker.ask("time", task, dtype, seconds, form)
                if "seconds" in reply:
                    times.append(reply["seconds"])
                    spent[k] += time.monotonic() - start
                else:
                    spent[k] = math.inf
                    left_out.append(f"{worker.name}, {form} ({task.split('-')[0]}): {reply['failed']}")
    forms = [form for form in forms if form[3]]
    ours = forms[0][3] if forms and forms[0][0] is workers[0] and forms[0][1] in OURS else None
    rows = []
    for worker, form, worst, times in forms:
        ratios = [time / own for time, own in zip(times, ours)] if ours else []
        rows.append({
            "task": task,
            "dtype": dtype,
            "threads": threads,
            "peer": f"{worker.name}, {form}",
            "seconds": statistics.median(times),
            "ratio": statistics.median(ratios) if ratios else None,
            "error": worst,
        })
    return rows, left_out, wrong


# Our own forms; `fused by hand` is a peer.
OURS = ("sweep", "law", "tensors")


def speed(row):
    seconds, task = row["seconds"], row["task"].split("-")
    if task[0] in ("gru", "iv", "gsm"):
        return f"{1e3 * seconds:.2f} ms"
    points = int(task[1])
    return f"{1e6 * seconds:.3g} µs" if points == 1 else f"{1e-6 * points / seconds:.3g} M/s"


def table(rows):
    lines = ["| task | dtype | threads | peer | time or speed | ratio | error |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        ratio = f"{row['ratio']:.2f}" if row["ratio"] else "–"
        cells = row["task"], row["dtype"], row["threads"], row["peer"], speed(row), ratio
        lines.append("| " + " | ".join(map(str, cells)) + f" | {row['error']:.0e} |")
    return "\n".join(lines)


def main(description, plan, peers, environments, options=()):
    """`plan(quick)` gives threads, task and number format in the order in which they run."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    quick = "few rounds, no long compilations, and without --only the main sizes: minutes"
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows")
    parser.add_argument("--only", default="", metavar="TEXT", help="tasks whose name contains it")
    own = "where nothing can be fetched or built:"
    parser.add_argument("--python", metavar="FILE", help=f"{own} the Python that has the peers")
    parser.add_argument("--program", metavar="FILE", help=f"{own} our bench `tasks`, built elsewhere")
    arguments = parser.parse_args()
    seconds, rounds = (0.3, 3) if arguments.quick else (1.0, 7)
    main_sizes = arguments.quick and not arguments.only
    chosen = [p for p in plan(main_sizes) if arguments.only in p[1]]
    DATA.mkdir(parents=True, exist_ok=True)
    load, cores = os.getloadavg()[0], os.cpu_count()
    if load > 0.5 * cores:
        say(f"{load:.1f} processes are running on {cores} cores: the ratios will be rough")
    for name, requirements in [] if arguments.python else environments.items():
        build_environment(name, requirements)
    program = arguments.program or our_program(options)
    names = sorted({task for _, task, _ in chosen})
    subprocess.run([program, "write", DATA, *names], check=True)
    rows, left_out, wrong = [], [], []
    for threads in sorted({threads for threads, _, _ in chosen}):
        workers = start(program, peers, threads, arguments.quick, arguments.python)
        for at, (_, task, dtype) in [(k, p) for k, p in enumerate(chosen, 1) if p[0] == threads]:
            say(f"{at}/{len(chosen)} {task} {dtype}, {threads} threads")
            found = compare(workers, task, dtype, threads, seconds, rounds)
            for all_of, these in zip((rows, left_out, wrong), found):
                all_of.extend(these)
            if arguments.json:
                arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
        for worker in workers:
            worker.end()
    print(table(rows))
    for title, lines in (("Left out", left_out), ("THE NUMBERS DIFFER", wrong)):
        if lines:
            print(f"\n{title}:\n")
            print("\n".join(f"- {line}" for line in dict.fromkeys(lines)))
    sys.exit(bool(wrong))
