#!/usr/bin/env python3
"""The Python package beside PyTorch: the same values and gradients, timed in alternation in one process.

    benches/peers/python.py                       two threads each, seven rounds
    benches/peers/python.py --threads 8 --rounds 15 --only value,loss
    benches/peers/python.py --threads 1 --cpu-time --only value,loss
    benches/peers/python.py --quick               small sets, to see whether all of it runs

Takes a Python that has torch and unisphere, of a release wheel. The tables go to stdout.

Inside the timed blocks: of ours, a call as users write it, from an array or a tensor to a number and, in the losses, through
`backward()`. It checks the rows and scales them to unit length. Of PyTorch, the formula with autograd; it scales rows in the losses,
and gets unit rows for the value. Every figure is a median of rounds, in each of which everybody runs for 0.3 s or once, and a ratio
the median of the rounds' ratios. Where other programs run, the least times tell
more, which are of the rounds that these disturbed least, and the CPU times of one thread.
"""

import argparse
import functools
import os
import pathlib
import statistics
import sys
import threading
import time

from choice import some_of

PARTS = ["value", "loss", "overhead", "threads"]
T = 2.0
# An observation is the median of as many runs as fit these seconds.
SHORT = 0.3


def main():
    arguments = parse()
    # Both are read where the libraries start their threads.
    os.environ["RAYON_NUM_THREADS"] = str(arguments.threads)
    import torch

    torch.set_num_threads(arguments.threads)
    before = torch.get_num_threads(), torch.get_num_interop_threads()
    import unisphere

    print(machine(arguments.threads), flush=True)
    for part in arguments.only:
        print({"value": value, "loss": loss, "overhead": overhead, "threads": threads}[part](arguments), flush=True)
    if (torch.get_num_threads(), torch.get_num_interop_threads()) != before:
        sys.exit(f"PyTorch had {before} threads before unisphere was imported, and has others now")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=some_of(PARTS), default=PARTS, help=f"some of {','.join(PARTS)}")
    parser.add_argument("--threads", type=int, default=2, help="of either library")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cpu-time", action="store_true", help="of all threads, in place of the time that passes")
    parser.add_argument("--quick", action="store_true", help="small sets")
    return parser.parse_args()


def machine(threads):
    import torch
    import unisphere

    lines = [
        f"{unisphere.Engine('auto').name}, {os.cpu_count()} cores, {threads} threads of either library",
        f"PyTorch {torch.__version__}, Unisphere {unisphere.__version__}, Python {sys.version.split()[0]}",
    ]
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.5:
        lines.append(f"**other programs were running**: a load of {os.getloadavg()[0]:.1f} at the start")
    return "".join(f"- {line}\n" for line in lines)


def value(arguments):
    """Uniformity of an array."""
    import forms
    import unisphere

    n, d = (512, 768) if arguments.quick else (8192, 768)
    x = forms.points(n, d, "cpu")
    peers = {name: lambda name=name: forms.value(name, x) for name in ("matmul", "pdist")}
    rows = beside(f"uniformity {n} × {d}", lambda: unisphere.uniformity(x.numpy(), T), peers, arguments)
    return "### Value\n\n" + table(rows)


def loss(arguments):
    """The paper's loss and its gradients for both sets, through `backward()`."""
    import forms
    import torch
    from unisphere.torch import AlignUniformLoss

    rows, ours = [], AlignUniformLoss(alpha=2.0, t=T)
    for n, d in [(256, 128)] if arguments.quick else [(4096, 128), (256, 128), (64, 128)]:
        random = torch.Generator().manual_seed(0)
        x, noise = torch.randn(n, d, generator=random), torch.randn(n, d, generator=random)
        losses = {"Unisphere": ours}
        for name in ("matmul", "pdist"):
            losses[f"{name} with autograd"] = functools.partial(paper, forms.FORMS[name])
        calls = {name: functools.partial(backward, loss, x, x + 0.5 * noise) for name, loss in losses.items()}
        of_ours, *of_peers = (call()[1] for call in calls.values())
        for gradients in of_peers:
            torch.testing.assert_close(gradients, of_ours, rtol=1e-3, atol=1e-6)
        call = calls.pop("Unisphere")
        peers = {name: lambda peer=peer: peer()[0] for name, peer in calls.items()}
        rows += beside(f"AlignUniformLoss {n} × {d}, forward and backward", lambda: call()[0], peers, arguments)
    return "### Loss and gradients\n\n" + table(rows)


def paper(form, x, y):
    """The paper's loss of rows of any length, α = 2."""
    from torch.nn.functional import normalize

    x, y = normalize(x), normalize(y)
    return (x - y).norm(dim=1).pow(2).mean() + (form(x) + form(y)) / 2


def backward(loss, x, y):
    """The value and the gradients of fresh leaves."""
    x, y = x.detach().requires_grad_(), y.detach().requires_grad_()
    found = loss(x, y)
    found.backward()
    return found.item(), (x.grad, y.grad)


def overhead(arguments):
    """Small calls: from an array, of the native module, and in Rust on points that are uploaded: `unisphere bench`."""
    import forms
    import program
    import unisphere
    from markdown import seconds, table
    from rounds import Contender, alternate
    from unisphere import _native

    program.PROGRAM = str(pathlib.Path(sys.executable).parent / "unisphere")
    x = forms.points(64, 128, "cpu").numpy()
    engine, native = unisphere.Engine("cpu"), _native.Engine("cpu")
    calls = {
        "uniformity": (
            lambda: engine.uniformity(x),
            lambda: _native.uniformity(native, x, None, [T], "across", None, False, False, False, None),
        ),
        "uniformity_with_grad": (
            lambda: engine.value_and_grad("uniformity", x),
            lambda: _native.uniformity(native, x, None, [T], "across", None, False, True, False, None),
        ),
    }
    rows = []
    for work, (of_package, of_native) in calls.items():
        contenders = [
            Contender("package", lambda: observe(of_package)),
            Contender("native", lambda: observe(of_native)),
            Contender("Rust", lambda: program.bench(work, 64, 128, "cpu")),
        ]
        alternate(contenders, arguments.rounds)
        package, _, rust = contenders
        above = sorted(a - b for a, b in zip(package.seconds, rust.seconds))[arguments.rounds // 2]
        rows.append([f"{work} 64 × 128", *(seconds(each.median()) for each in contenders), seconds(above)])
    head = ["call", "of the package", "of its native module", "in Rust", "package above Rust"]
    return "### Overhead of a call\n\n" + table(head, rows)


def threads(arguments):
    """Calls that follow calls of the other library, and both at once, beside calls that follow their own kind."""
    import torch
    import unisphere
    from markdown import seconds, table
    from rounds import Contender, alternate

    side, n = (256, 500) if arguments.quick else (1024, 3000)
    random = torch.Generator().manual_seed(0)
    a, x = torch.randn(side, side, generator=random), torch.randn(n, 128, generator=random).numpy()

    def product():
        return a @ a

    def ours():
        return unisphere.uniformity(x)

    def in_turn():
        product()
        ours()

    def at_once():
        other = threading.Thread(target=product)
        other.start()
        ours()
        other.join()

    rows = []
    for what, call, other in [
        (f"PyTorch's product of {side}³: after uniformity, over after itself", (product, ours), (product, product)),
        (f"uniformity of {n} × 128: after PyTorch's product, over after itself", (ours, product), (ours, ours)),
        ("both in two threads of Python, over one after the other", (at_once, at_once), (in_turn, in_turn)),
    ]:
        pairs = [("mixed", call), ("alone", other)]
        contenders = [Contender(name, lambda pair=pair: observe(pair[0], before=pair[1])) for name, pair in pairs]
        alternate(contenders, arguments.rounds)
        mixed, alone = contenders
        rows.append([what, seconds(mixed.median()), seconds(alone.median()), f"{mixed.over(alone):.2f}"])
    return "### Threads\n\n" + table(["what", "the first", "the second", "ratio"], rows)


def observe(call, clock=time.perf_counter, before=lambda: None):
    """Median seconds of calls, each of which follows another one."""
    runs, begin = [], time.perf_counter()
    while not runs or time.perf_counter() - begin < SHORT:
        before()
        start = clock()
        call()
        runs.append(clock() - start)
    return statistics.median(runs)


def beside(what, ours, peers, arguments):
    """Rows of a table: ours beside each peer, whose values agree."""
    from rounds import Contender, alternate

    clock = time.process_time if arguments.cpu_time else time.perf_counter

    want = ours()
    for name, peer in peers.items():
        if not abs(peer() - want) <= 1e-4:
            sys.exit(f"{what}: {name} says {peer()}, Unisphere {want}")
    calls = {"Unisphere": ours, **peers}
    contenders = [Contender(name, lambda call=call: observe(call, clock)) for name, call in calls.items()]
    alternate(contenders, arguments.rounds)
    first, *others = contenders
    return [(what, first, other) for other in others]


def table(rows):
    from markdown import seconds, table

    head = ["what", "peer", "its time", "Unisphere", "ratio", "ratio of the least times"]
    cells = []
    for what, ours, peer in rows:
        least = min(peer.seconds) / min(ours.seconds)
        times = seconds(peer.median()), seconds(ours.median())
        cells.append([what, peer.name, *times, f"{peer.over(ours):.1f}", f"{least:.1f}"])
    return table(head, cells)


if __name__ == "__main__":
    main()
