"""The faults of scripts/test-faults, which builds the program and the library that makes a disk fail.

    python3 faults.py PROGRAM FOLDER

Every check prints a line. Those that fail do not end the others.
"""

import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
KILLS = int(os.environ.get("UNISPHERE_KILLS", 40))
DAMAGES = int(os.environ.get("UNISPHERE_DAMAGES", 200))
SEED = int(os.environ.get("UNISPHERE_SEED", 1))

# Several t, for records of a length that no page of a disk is a multiple of.
TS = "0.5,1,2,3,5"
# All pairs take some 6 s on two cores, in 253 blocks.
ROWS, DIMS = 22_528, 2048
# All pairs take a fraction of a second, in 15 blocks.
FEW_ROWS, MANY_DIMS = 2560, 4096
# A third of what the larger set takes as f32.
LITTLE = "64M"
# Kills that the larger set is made for.
KILLS_OF_ONE_RUN = 40

# The journal: bytes of its header and of a record, and the kind of those that hold a block.
HEADER, RECORD, BLOCK = 256, 12 + 8 * len(TS.split(",")) + 4, 1

INPUT, MACHINE = 3, 5


# Runs, of which none is to outlast its check.
STARTED = []


class Wrong(Exception):
    """What does not hold."""


def hold(condition, otherwise):
    if not condition:
        raise Wrong(otherwise)


# ---------------------------------------------------------------------------------------------------------------- sets


def make(path, rows, dims):
    """Rows of random f16 between 2^-3 and 1, the same ones each time."""
    text = f"{{'descr': '<f2', 'fortran_order': False, 'shape': ({rows}, {dims}), }}".ljust(117) + "\n"
    header = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()
    # A sign, an exponent and two bits of the fraction.
    high = bytes(byte & 0x80 | 0x30 + byte % 12 for byte in range(256))
    draw = random.Random(rows)
    with open(path, "wb") as file:
        file.write(header)
        for start in range(0, rows, 1024):
            values = (min(rows, start + 1024) - start) * dims
            piece = bytearray(2 * values)
            piece[0::2] = draw.randbytes(values)
            piece[1::2] = draw.randbytes(values).translate(high)
            file.write(piece)
    return path


class Changed:
    """Bytes of a file that are others, and then what they were."""

    def __init__(self, path, offset, length):
        self.path, self.offset, self.length = path, offset, length

    def __enter__(self):
        with open(self.path, "r+b") as file:
            file.seek(self.offset)
            self.before = file.read(self.length)
            file.seek(self.offset)
            file.write(bytes(byte ^ 1 for byte in self.before))

    def __exit__(self, *_):
        with open(self.path, "r+b") as file:
            file.seek(self.offset)
            file.write(self.before)


class Truncated:
    """A file that ends early, and then whole again."""

    def __init__(self, path, length):
        self.path, self.length = path, length

    def __enter__(self):
        with open(self.path, "r+b") as file:
            file.seek(self.length)
            self.rest = file.read()
            file.truncate(self.length)

    def __exit__(self, *_):
        with open(self.path, "ab") as file:
            file.write(self.rest)


# ---------------------------------------------------------------------------------------------------------------- runs


def start(x, *options, faults=None, stdin=subprocess.DEVNULL, command="eval"):
    """A run that is not waited for."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(FOLDER / "cache")}
    if faults:
        environment |= {"LD_PRELOAD": str(FOLDER / "faults.so"), **faults}
    words = [PROGRAM, command, x, "--json", "--device", "cpu", *options]
    process = subprocess.Popen(
        [str(word) for word in words], env=environment, stdin=stdin, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    STARTED.append(process)
    return process


class Ended:
    """What came of a run."""

    def __init__(self, process, within=300):
        try:
            self.out, self.err = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Wrong(f"no end within {within} s: {' '.join(process.args)}") from None
        self.code = process.returncode

    def __str__(self):
        return f"exit code {self.code}, {self.out!r}, {self.err!r}"

    @property
    def values(self):
        """The values as text, of which every digit counts."""
        hold(self.code == 0, f"no values: {self}")
        return json.dumps(json.loads(self.out)["uniformity"])

    @property
    def recovered(self):
        return json.loads(self.out)["work"]["blocks_recovered"]

    def is_refusal(self, codes, *words):
        """Says what is wrong and where, by one of these exit codes."""
        hold(self.code in codes, f"exit code {codes} was expected: {self}")
        # A line before it may say what the run will take.
        hold(self.out == "" and "error: " in self.err, f"an error and no report was expected: {self}")
        hold("internal failure" not in self.err, f"a fault of the program: {self}")
        for word in words:
            hold(str(word) in self.err, f"the message should name {word}: {self}")


def run(x, *options, faults=None, within=300):
    return Ended(start(x, *options, faults=faults), within)


def piped(command, *options):
    """A run whose x is a pipe, with the output of a command in it."""
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as writer:
        process = start("/dev/stdin", *options, stdin=writer.stdout)
        writer.stdout.close()
        return Ended(process, within=10)


def kept(x, journal):
    """Options of a run of little memory with a journal."""
    return x, "--t", TS, "--max-memory", LITTLE, "--journal", journal


def goes_on(run, expected):
    """Whether a run had something to go on from, and ends with the same bits. Tells how many blocks it had."""
    hold(run.values == expected, f"other values than those of a run without faults, {expected}: {run}")
    hold(run.recovered > 0, f"nothing was kept: {run}")
    return run.recovered


def blocks(journal):
    """Blocks in a journal."""
    content = journal.read_bytes() if journal.exists() else b""
    kinds = range(HEADER, len(content) - RECORD + 1, RECORD)
    return sum(int.from_bytes(content[at : at + 4], "little") == BLOCK for at in kinds)


def begin(arguments, journal, count):
    """A run that has added so many blocks to its journal."""
    least, process = blocks(journal) + count, start(*arguments)
    hold(reaches(process, journal, least), "a run ended that was to be disturbed")
    return process


def reaches(process, journal, count):
    """Waits until a journal has so many blocks. Whether the run has not ended before."""
    while blocks(journal) < count:
        if process.poll() is not None:
            return False
        time.sleep(0.002)
    return True


# -------------------------------------------------------------------------------------------------------------- checks


def check_kills(large):
    """One run is killed at random moments, and each time resumed by the same command."""
    of = large
    if KILLS > KILLS_OF_ONE_RUN:
        of = Reference(make(FOLDER / "larger.npy", round(ROWS * (KILLS / KILLS_OF_ONE_RUN) ** 0.5), DIMS))
    x, expected, seconds, count = of.path, of.expected, of.seconds, of.blocks
    journal = FOLDER / "kills.journal"
    arguments, draw = kept(x, journal), random.Random(SEED)
    # The time until the first block is done.
    began = time.monotonic()
    begin(arguments, journal, 1).kill()
    before_work = time.monotonic() - began
    journal.unlink()
    # One kill of five comes before any new block is done, most often. The others come so soon after one that all of them hit one
    # run, whose share of a kill is the first blocks, of which there are one or two, and what follows until it comes.
    at_work = 2 * seconds * max(1.1 / KILLS - 1.5 / count, 0.2 / KILLS)
    killed = in_work = ended = 0
    while killed < KILLS:
        before, process = blocks(journal), start(*arguments)
        if draw.random() < 0.2:
            time.sleep(draw.uniform(0, before_work))
        elif reaches(process, journal, before + 1):
            time.sleep(draw.uniform(0, at_work))
        process.kill()
        done = Ended(process)
        now = blocks(journal)
        if done.code == 0:
            hold(done.values == expected, f"other values than those of a run without faults, {expected}: {done}")
            journal.unlink()
            ended += 1
            hold(ended < KILLS, "most runs end before they are killed")
            continue
        hold(done.code == -signal.SIGKILL, f"not killed: {done}")
        hold(now >= before, f"{before} blocks were kept, and {now} after another run")
        killed += 1
        in_work += now > before
    done = run(*arguments)
    hold(done.values == expected, f"other values than those of a run without faults, {expected}: {done}")
    hold(2 * in_work >= KILLS, f"{in_work} of {KILLS} kills came while blocks were added: too few to tell")
    if x != large.path:
        x.unlink()
    again = f", {ended} of them begun anew after an end" if ended else ""
    return f"{KILLS} kills of a run of {count} blocks, {in_work} of them in mid-run, after new blocks{again}: same bits"


def gradient(x, out):
    """Options of a gradient in so little memory that each of its panels is a step."""
    return x, "--of", "uniformity", "--out", out, "--max-memory", LITTLE


def told(done):
    """What a gradient's run says but for what it took, and how many blocks it had."""
    hold(done.code == 0, f"no gradient: {done}")
    report = json.loads(done.out)
    return json.dumps([report["value"], report["gradients"][0]["norm"]]), report["work"]["blocks_recovered"]


def check_gradient(small):
    """A gradient is killed at random moments, and each time resumed by the same command."""
    whole, out, draw = FOLDER / "whole.npy", FOLDER / "gradient.npy", random.Random(SEED)
    began = time.monotonic()
    expected, _ = told(Ended(start(*gradient(small.path, whole), command="gradient")))
    seconds, kills = time.monotonic() - began, 0
    for _ in range(10 * KILLS):
        process = start(*gradient(small.path, out), command="gradient")
        time.sleep(draw.uniform(0, seconds / 2))
        process.kill()
        done = Ended(process)
        if done.code == 0:
            break
        hold(done.code == -signal.SIGKILL, f"not killed: {done}")
        kills += 1
        hold(not out.exists() or out.read_bytes()[:1] != b"\x93", "a gradient that is not complete has a header")
    hold(kills >= 2, f"only {kills} kills")
    found, recovered = told(done)
    hold(found == expected, f"another value or norm than that of a run without faults, {expected}: {done}")
    hold(recovered > 0, f"nothing was kept: {done}")
    hold(out.read_bytes() == whole.read_bytes(), "another gradient than that of a run without faults")
    return f"{kills} kills until an end, which had {recovered} blocks: same bytes"


def check_gradient_on_full_disk(small):
    """A disk with room for a part of a gradient is named, and the run goes on once there is room."""
    return on_small_disk("4m", "gradient-on-full-disk", small.path)


def gradient_on_full_disk(x, disk):
    """What happens on a disk of 4 MiB, mounted for this process alone."""
    out, journal = disk / "gradient.npy", FOLDER / "gradient-on-full-disk.journal"

    def attempt():
        return Ended(start(*gradient(x, out), "--journal", journal, command="gradient"))

    attempt().is_refusal([MACHINE], out)
    subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
    attempt().is_refusal([MACHINE], out)
    subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
    done = attempt()
    _, recovered = told(done)
    hold(out.read_bytes() == (FOLDER / "whole.npy").read_bytes(), "another gradient than that of a run without faults")
    return f"no room for the first panel, and for a later one: exit code 5 each; with room, from {recovered} blocks: same bytes"


def check_sigterm(large):
    """SIGTERM ends a run soon, and what is done is kept."""
    journal = FOLDER / "sigterm.journal"
    process = begin(kept(large.path, journal), journal, 40)
    before, asked = blocks(journal), time.monotonic()
    process.terminate()
    done = Ended(process, within=10)
    seconds = time.monotonic() - asked
    hold((done.code, done.out) == (-signal.SIGTERM, ""), f"an end of SIGTERM was expected: {done}")
    found = goes_on(run(*kept(large.path, journal)), large.expected)
    hold(found >= before, f"{before} blocks were done, and {found} were kept")
    return f"an end after {seconds:.2f} s, {found} blocks kept of {before} and those in work: same bits"


def check_full_disk(large):
    """A full disk is named, and the run goes on once there is room."""
    (FOLDER / "expected").write_text(large.expected)
    return on_small_disk("32k", "full-disk", large.path)


def on_small_disk(size, what, x):
    """What comes of a check with a disk of its own; None where none can be mounted."""
    disk = FOLDER / f"disk-{what}"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size={size} tmpfs "$0" && exec "$@"'
    for namespace in ["-m"], ["-rm"]:
        inside = ["unshare", *namespace, "sh", "-c", mount, str(disk)]
        try:
            if subprocess.run([*inside, "true"], capture_output=True).returncode == 0:
                break
        except FileNotFoundError:
            pass
    else:
        return None
    words = [sys.executable, __file__, PROGRAM, str(FOLDER), what, str(x), str(disk)]
    said = subprocess.run([*inside, *words], capture_output=True, text=True)
    hold(said.returncode == 0, (said.stdout + said.stderr).strip())
    return said.stdout.strip()


def on_full_disk(x, disk):
    """What happens on a disk of 32 KiB, mounted for this process alone."""
    expected = (FOLDER / "expected").read_text()
    filler, journal = disk / "filler", disk / "full.journal"

    def fill(kib):
        filler.write_bytes(bytes(kib << 10))

    fill(32)
    run(*kept(x, journal)).is_refusal([MACHINE], journal)
    # One page is left for the journal: the last record is torn.
    fill(28)
    run(*kept(x, journal)).is_refusal([MACHINE], journal)
    size = journal.stat().st_size
    hold((size - HEADER) % RECORD != 0, f"no record is torn in {size} bytes")
    run(*kept(x, journal)).is_refusal([MACHINE], journal)
    filler.unlink()
    found = goes_on(run(*kept(x, journal)), expected)
    return f"no room for the header, for a record, and once more: exit code 5 each; with room, from {found} blocks: same bits"


def check_failed_sync(large):
    """A sync that fails ends the run, and the next one goes on."""
    journal = FOLDER / "sync.journal"
    # Two syncs are of the header and of its folder.
    for well in 0, 1, 3:
        done = run(*kept(large.path, journal), faults={"FAULT_SYNC": str(well)})
        done.is_refusal([MACHINE], journal)
        if well < 3:
            journal.unlink(missing_ok=True)
    found = goes_on(run(*kept(large.path, journal)), large.expected)
    return f"the first, the second and the fourth sync fail: exit code 5 each; then from {found} blocks: same bits"


def check_failed_reads(large, small):
    """Reads that fail half-way are an error of the disk, and short ones do no harm."""
    journal = FOLDER / "reads.journal"
    half = {"FAULT_READ": str(large.path.stat().st_size // 2)}
    run(*kept(large.path, journal), faults=half).is_refusal([MACHINE], large.path, "Input/output error")
    found = goes_on(run(*kept(large.path, journal)), large.expected)
    half = {"FAULT_READ": str(small.path.stat().st_size // 2)}
    short, count = {"FAULT_SHORT": "1"}, 0
    for options in ["--max-memory", LITTLE], ["--tolerance", "1e-3"], []:
        run(small.path, *options, faults=half).is_refusal([MACHINE], small.path, "Input/output error")
        done = run(small.path, *options, faults=short)
        count += int(re.search(r"(\d+) short reads", done.err)[1])
        hold(done.values == run(small.path, *options).values, f"short reads gave other values: {done}")
    hold(count > 1000, f"only {count} short reads")
    return f"exit code 5 each, then from {found} blocks: same bits; {count:,} short or interrupted reads: same bits"


def check_changed_input(large):
    """Rows that are others than before are refused, and so is a file that becomes shorter."""
    journal = FOLDER / "changed.journal"
    arguments = kept(large.path, journal)
    process = begin(arguments, journal, 10)
    process.terminate()
    Ended(process)
    # The first panel's pairs are not done yet.
    with Changed(large.path, HEADER, 2 * DIMS):
        run(*arguments).is_refusal([INPUT], large.path, "rows 0 to")
    process = begin(arguments, journal, 10)
    with Truncated(large.path, large.path.stat().st_size // 2):
        Ended(process).is_refusal([INPUT], large.path, "became shorter")
        run(*arguments).is_refusal([INPUT], large.path, "cut short")
    found = goes_on(run(*arguments), large.expected)
    return f"rows 0 to … named, a file cut in mid-run, and before a run: exit code 3 each; then from {found} blocks: same bits"


def check_changed_input_of_done_blocks(small):
    """Rows whose pairs are all in the journal are looked at again too: in a finished one, and in one that lacks a block."""
    journal = FOLDER / "done.journal"
    arguments = kept(small.path, journal)
    hold(run(*arguments).values == small.expected, "other values than in memory")
    with Changed(small.path, HEADER, 2 * MANY_DIMS):
        run(*arguments).is_refusal([INPUT], small.path, "rows 0 to")
        # The closing record and the last block, which is not of row 0.
        os.truncate(journal, journal.stat().st_size - 2 * RECORD)
        run(*arguments).is_refusal([INPUT], small.path, "rows 0 to")
    hold(run(*arguments).values == small.expected, "other values than in memory")
    return "a finished journal, and one that lacks a block: exit code 3 each; with the rows of before: same bits"


def check_two_writers(large):
    """A journal has one writer."""
    journal = FOLDER / "writers.journal"
    first = begin(kept(large.path, journal), journal, 5)
    second = run(*kept(large.path, journal), within=10)
    alive = first.poll() is None
    done = Ended(first)
    second.is_refusal([MACHINE], journal, "another run")
    hold(alive, "the first ended before the second began")
    hold(done.values == large.expected, f"other values than those of a run alone: {done}")
    return "the second: exit code 5; the first: same bits"


def check_damage(small):
    """A finished journal with flipped bits or without its end is refused, or gives the same values."""
    journal, draw = FOLDER / "damaged.journal", random.Random(SEED)
    arguments = kept(small.path, journal)
    hold(run(*arguments).values == small.expected, "other values than in memory")
    sound = journal.read_bytes()
    refused = gone_on = 0
    for number in range(DAMAGES):
        content, what = bytearray(sound), []
        if number % 2:
            length = draw.randrange(len(sound))
            del content[length:]
            what.append(f"cut to {length} bytes")
        # Of those that are cut, one in four has flips too.
        if number % 2 == 0 or number % 8 == 1:
            for _ in range(draw.choice([1, 1, 2, 8])):
                bit = draw.randrange(max(1, 8 * len(content)))
                if content:
                    content[bit // 8] ^= 1 << bit % 8
                    what.append(f"bit {bit} flipped")
        journal.write_bytes(content)
        done = run(*arguments)
        if done.code == 0:
            hold(done.values == small.expected, f"a wrong result ({', '.join(what)}; seed {SEED}): {done}")
            gone_on += 1
        else:
            done.is_refusal([INPUT, MACHINE], journal)
            hold(journal.read_bytes() == content, f"refused and not left as it was: {', '.join(what)}")
            refused += 1
    hold(refused > 0 and gone_on > 0, f"{refused} were refused, and {gone_on} gave the values: too few to tell")
    return f"{DAMAGES} flips and cuts: {refused} refused, {gone_on} gave the same bits, 0 gave others"


def check_no_files():
    """What is no file, and what is no set, is refused at once. A pipe may be read, but not one that ends too soon."""
    folder = FOLDER / "shards"
    folder.mkdir()
    for number in 1, 2, 4:
        make(folder / f"gap_{number}.npy", 300, 16)
    whole = make(folder / "width_1.npy", 300, 16)
    make(folder / "width_2.npy", 300, 17)
    cases = {
        "gap_*.npy": ["gap_3.npy", "missing"],
        "width_*.npy": ["width_2.npy", "17 dimensions"],
        "none_*.npy": ["none_*.npy", "no file"],
        "none.npy": ["none.npy", "no such file"],
        "": [folder, "a directory"],
    }
    pipes = set()
    for options in ["--max-memory", LITTLE], ["--tolerance", "1e-3"], []:
        for name, words in cases.items():
            run(folder / name, *options, within=10).is_refusal([INPUT], *words)
        piped(["head", "-c", "5000", whole], *options).is_refusal([INPUT], "/dev/stdin")
        read = piped(["cat", whole], *options)
        if read.code == 0:
            hold(read.values == run(whole, *options).values, f"a pipe gave other values than a file: {read}")
            pipes.add("read")
        else:
            read.is_refusal([INPUT], "/dev/stdin")
            pipes.add("refused")
    said = " or ".join(sorted(pipes))
    return f"{len(cases)} kinds of them, and a pipe that ends too soon: exit code 3 each; whole pipes are {said}"


# ----------------------------------------------------------------------------------------------------------------- all


class Reference:
    """A set, and its values as a run without faults gives them, with memory for all of it."""

    def __init__(self, path):
        self.path = path
        began = time.monotonic()
        done = run(path, "--t", TS, "--max-memory", "1G")
        self.seconds = time.monotonic() - began
        self.expected, self.blocks = done.values, json.loads(done.out)["work"]["blocks"]


def main():
    began = time.monotonic()
    large = Reference(make(FOLDER / "large.npy", ROWS, DIMS))
    small = Reference(make(FOLDER / "small.npy", FEW_ROWS, MANY_DIMS))
    print(f"all pairs of {ROWS:,} rows of {DIMS} take {large.seconds:.1f} s; seed {SEED}", flush=True)
    checks = [
        ("kills", check_kills, [large]),
        ("SIGTERM", check_sigterm, [large]),
        ("a full disk", check_full_disk, [large]),
        ("failed syncs", check_failed_sync, [large]),
        ("failed reads", check_failed_reads, [large, small]),
        ("changed input", check_changed_input, [large]),
        ("changed input of blocks that are done", check_changed_input_of_done_blocks, [small]),
        ("two writers", check_two_writers, [large]),
        ("a damaged journal", check_damage, [small]),
        ("kills of a gradient", check_gradient, [small]),
        ("a gradient on a full disk", check_gradient_on_full_disk, [small]),
        ("no files", check_no_files, []),
    ]
    failures = 0
    for name, check, sets in checks:
        try:
            said = check(*sets)
            print(f"skip    {name}: neither root nor unshare -rm" if said is None else f"ok      {name}: {said}", flush=True)
        except Wrong as wrong:
            failures += 1
            print(f"FAILED  {name}: {wrong}", flush=True)
        for process in STARTED:
            process.kill()
        STARTED.clear()
    print(f"{len(checks) - failures} of {len(checks)} hold, after {time.monotonic() - began:.0f} s")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    on_disks = {"full-disk": on_full_disk, "gradient-on-full-disk": gradient_on_full_disk}
    if sys.argv[3:4] and sys.argv[3] in on_disks:
        try:
            print(on_disks[sys.argv[3]](pathlib.Path(sys.argv[4]), pathlib.Path(sys.argv[5])))
        except Wrong as wrong:
            sys.exit(str(wrong))
    else:
        main()
