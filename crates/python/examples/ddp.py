#!/usr/bin/env python3
"""The loss of a batch that is shared by several processes: one value, and on each process the right gradient.

    pip install './crates/python[torch]'
    python ddp.py                   # two processes by torch.distributed (gloo)
    python ddp.py --accelerate      # the same by Hugging Face's accelerate

Uniformity of a batch is no mean over its shares: pairs of rows of two processes would be missing. So each process gathers the embeddings of
all, and takes the loss of them. Only its own rows carry gradients there, which are then exactly its share of the whole gradient.
DistributedDataParallel takes the mean of the processes' gradients where their sum is wanted: the loss is multiplied by their number.
"""
import argparse
import os
import socket

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from unisphere.torch import AlignUniformLoss


def gathered(x):
    """(processes · n, d): the rows (n, d) of all processes, the same n of each. Gradients go to this one's own."""
    rows = [torch.empty_like(x) for _ in range(dist.get_world_size())]
    dist.all_gather(rows, x.detach().contiguous())
    rows[dist.get_rank()] = x
    return torch.cat(rows)


def gathered_by(accelerator, x):
    """The same by accelerate, whose gather has no gradients either."""
    rows, first = accelerator.gather(x.detach()), accelerator.process_index * len(x)
    return torch.cat([rows[:first], x, rows[first + len(x):]])


def encoder():
    """Points (n, 6) to (n, 4): the same on each process."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.Tanh(), torch.nn.Linear(16, 4))


def batch(rows=32):
    """A batch of pairs, (rows, 6) each."""
    random = torch.Generator().manual_seed(1)
    x = torch.randn(rows, 6, generator=random)
    return x, x + 0.3 * torch.randn(rows, 6, generator=random)


def step(model, x, y, gather, processes):
    """The loss of the whole batch, whose backward pass leaves the whole gradient in the model, of this process's rows x and y."""
    # One call of the model: DistributedDataParallel expects a backward pass for each.
    x, y = model(torch.cat([x, y])).chunk(2)
    loss = AlignUniformLoss()(gather(x), gather(y))
    (processes * loss).backward()
    return loss.item()


def process(rank, processes, port, by_accelerate, folder):
    """One of the processes. It saves its value and its gradients."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "RANK": str(rank), "LOCAL_RANK": str(rank)}
    os.environ |= {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    x, y = (rows.chunk(processes)[rank] for rows in batch())
    if by_accelerate:
        from accelerate import Accelerator

        accelerator = Accelerator(cpu=True)
        model = accelerator.prepare(encoder())
        value = step(model, x, y, lambda rows: gathered_by(accelerator, rows), accelerator.num_processes)
    else:
        dist.init_process_group("gloo")
        model = DistributedDataParallel(encoder())
        value = step(model, x, y, gathered, dist.get_world_size())
    gradients = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    # The line and its end are one write: between two, another process may print.
    print(f"process {rank} of {processes}: loss {value:.6f}, gradient {gradients.norm():.6f}\n", end="", flush=True)
    if folder:
        torch.save((value, gradients), f"{folder}/{rank}")
    dist.destroy_process_group()


def run(processes=2, by_accelerate=False, folder=None):
    """Runs the processes on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(process, (processes, port, by_accelerate, folder), nprocs=processes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--accelerate", action="store_true")
    options = parser.parse_args()
    model = encoder()
    value = step(model, *batch(), lambda rows: rows, 1)
    gradients = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    print(f"one process:    loss {value:.6f}, gradient {gradients.norm():.6f}", flush=True)
    run(options.processes, options.accelerate)


if __name__ == "__main__":
    main()
