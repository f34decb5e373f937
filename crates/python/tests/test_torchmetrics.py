"""The metrics for TorchMetrics: over batches and processes, against the formulas in f64 of all rows."""

import pickle
import socket

import formulas
import numpy as np
import pytest
import unisphere

REASON = "scripts/test-python-clients installs it"
torch = pytest.importorskip("torch", reason=REASON)
torchmetrics = pytest.importorskip("torchmetrics", reason=REASON)

from unisphere.torchmetrics import Alignment, Uniformity  # noqa: E402

DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64]


def batches(dtype=torch.float32, sizes=(17, 30, 1, 12)):
    """Batches (n, 12) of x and of y, of ragged sizes."""
    random = torch.Generator().manual_seed(5)
    x = torch.randn(sum(sizes), 12, generator=random, dtype=torch.float64)
    y = x + 0.4 * torch.randn(len(x), 12, generator=random, dtype=torch.float64)
    return list(zip(x.to(dtype).split(sizes), y.to(dtype).split(sizes)))


def joined(of, side):
    return torch.cat([batch[side] for batch in of]).double().numpy()


def of_pairs(metric, x, y):
    metric.update(x, y)


def of_rows(metric, x, y):
    metric.update(x)


CASES = [
    (lambda: Alignment(1.5), of_pairs, lambda x, y: formulas.alignment(x, y, 1.5)),
    (lambda: Alignment(raw=True), of_pairs, lambda x, y: formulas.alignment(x, y, raw=True)),
    (lambda: Uniformity(3.0), of_rows, lambda x, y: formulas.uniformity(x, 3.0)),
    (lambda: Uniformity(0.1, raw=True), of_rows, lambda x, y: formulas.uniformity(x, 0.1, raw=True)),
]
IDS = ["alignment", "alignment of raw rows", "uniformity", "uniformity of raw rows"]


@pytest.mark.parametrize("make, update, formula", CASES, ids=IDS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_values_are_those_of_all_batches(make, update, formula, dtype):
    metric, of = make(), batches(dtype)
    for x, y in of:
        update(metric, x, y)
    found = metric.compute()
    assert found.dtype == torch.float32 and found.shape == ()
    assert found.item() == pytest.approx(formula(joined(of, 0), joined(of, 1)), rel=1e-6, abs=1e-6)
    # The value is no mean of the values of batches.
    large = [batch for batch in of if len(batch[0]) > 1]
    assert abs(found.item() - np.mean([formula(x.double().numpy(), y.double().numpy()) for x, y in large])) > 1e-3


@pytest.mark.parametrize("make, update, formula", CASES, ids=IDS)
def test_reset_pickles_clones_and_state_dicts(make, update, formula):
    metric, of = make(), batches()
    update(metric, *of[1])
    metric.reset()
    update(metric, *of[0])
    again = pickle.loads(pickle.dumps(metric))
    update(again, *of[1])
    want = formula(joined(of[:2], 0), joined(of[:2], 1))
    assert again.compute().item() == pytest.approx(want, abs=1e-6, rel=1e-6)
    assert metric.compute().item() == pytest.approx(formula(joined(of[:1], 0), joined(of[:1], 1)), abs=1e-6, rel=1e-6)
    metric.persistent(True)
    loaded = make()
    loaded.persistent(True)
    loaded.load_state_dict(metric.state_dict())
    other = metric.clone()
    for copy in (loaded, other):
        update(copy, *of[1])
        assert copy.compute().item() == pytest.approx(want, abs=1e-6, rel=1e-6)
    merged, apart = make(), make()
    update(merged, *of[0])
    update(apart, *of[1])
    merged.merge_state(apart)
    assert merged.compute().item() == pytest.approx(want, abs=1e-6, rel=1e-6)


def test_forward_returns_the_batchs_and_keeps_all():
    alignment, uniformity, of = Alignment(), Uniformity(), batches(sizes=(20, 2, 30))
    for x, y in of:
        assert alignment(x, y).item() == pytest.approx(formulas.alignment(x, y), rel=1e-6)
        assert uniformity(x).item() == pytest.approx(formulas.uniformity(x), abs=1e-6)
    assert alignment.compute().item() == pytest.approx(formulas.alignment(joined(of, 0), joined(of, 1)), rel=1e-6)
    assert uniformity.compute().item() == pytest.approx(formulas.uniformity(joined(of, 0)), abs=1e-6)
    both = torchmetrics.MetricCollection({"x": Uniformity(), "more": Uniformity(1.0)})
    values = both(of[0][0])
    assert values["x"].item() == pytest.approx(formulas.uniformity(of[0][0]), abs=1e-6)
    assert values["more"].item() == pytest.approx(formulas.uniformity(of[0][0], 1.0), abs=1e-6)


def test_tensors_are_neither_kept_nor_followed():
    x = torch.randn(10, 4, generator=torch.Generator().manual_seed(1))
    uniformity, want = Uniformity(), formulas.uniformity(x)
    with torch.enable_grad():
        uniformity.update(x.requires_grad_())
    with torch.no_grad():
        x.zero_()
    found = uniformity.compute()
    assert found.item() == pytest.approx(want, abs=1e-6) and not found.requires_grad
    for metric in (Alignment, Uniformity):
        assert metric.higher_is_better is False and metric.is_differentiable is False


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_errors_name_the_argument_and_the_cure():
    x = torch.ones(3, 4)
    with pytest.raises(unisphere.InvalidInput, match=r"no pairs yet; call update\(x, y\)"):
        Alignment().compute()
    with pytest.raises(unisphere.InvalidInput, match="0 rows, and takes at least 2"):
        Uniformity().compute()
    with pytest.raises(unisphere.InvalidInput, match="1 rows"):
        Uniformity()(x[:1])
    with pytest.raises(unisphere.InvalidInput, match="x and y"):
        Alignment().update(x, x[:2])
    with pytest.raises(unisphere.InvalidInput, match=r"x must have the shape \(n, d\), and is 4"):
        Uniformity().update(x[0])
    for wrong in (x.int(), x.numpy()):
        with pytest.raises(unisphere.InvalidInput, match="x must be a tensor of real numbers"):
            Uniformity().update(wrong)
    of_four = Uniformity()
    of_four.update(x)
    with pytest.raises(unisphere.InvalidInput, match="x has 5 dimensions, and the batches before it have 4"):
        of_four.update(torch.ones(3, 5))
    for make in (lambda: Alignment(0.0), lambda: Uniformity(-1.0), lambda: Uniformity(float("nan"))):
        with pytest.raises(unisphere.InvalidInput):
            make()


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_rows_of_different_lengths_are_refused_however_they_meet():
    called, other = Uniformity(), Uniformity()
    called(torch.randn(8, 4))
    called(torch.randn(8, 8))
    other.update(torch.randn(8, 4))
    merged = Uniformity()
    merged.update(torch.randn(8, 8))
    merged.merge_state(other)
    for metric in (called, merged):
        with pytest.raises(unisphere.InvalidInput, match="4 dimensions and 8"):
            metric.compute()


def test_a_sum_stays_in_double_precision():
    x, y = (torch.randn(30_000, 4, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    metric = Alignment()
    metric.set_dtype(torch.float16)
    for _ in range(3):
        metric.update(x, y)
    assert metric.total.dtype == torch.float64
    assert metric.compute().item() == pytest.approx(formulas.alignment(x.double().numpy(), y.double().numpy()), rel=1e-6)
    metric.update(x[:0], y[:0])
    assert metric.pairs == 90_000


def process(rank, processes, port, out):
    """One of several processes: each has every so many-th batch, and one of them none."""
    torch.distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=processes)
    of, found = batches(), {}
    for name, (make, update, _) in zip(IDS, CASES):
        for case, shares in (("shared", of[rank::processes]), ("all at one", of if rank == 0 else [])):
            metric = make()
            for x, y in shares:
                update(metric, x, y)
            found[name, case] = metric.compute().item()
            # What is this process's own is so again after the merge.
            found[name, case, "own"] = sum(len(x) for x, _ in shares) == own_rows(metric)
    for x, y in of[rank:rank + 1]:
        found["step"] = Alignment(dist_sync_on_step=True)(x, y).item()
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
    torch.save(found, f"{out}/{rank}")


def own_rows(metric):
    return int(metric.pairs) if isinstance(metric, Alignment) else sum(len(rows) for rows in metric.values) // 12


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_two_processes_have_the_value_of_one(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(process, (2, port, str(tmp_path)), nprocs=2)
    of = batches()
    for rank in range(2):
        found = torch.load(tmp_path / str(rank))
        for name, (_, _, formula) in zip(IDS, CASES):
            for case in ("shared", "all at one"):
                assert found[name, case] == pytest.approx(formula(joined(of, 0), joined(of, 1)), rel=1e-6, abs=1e-6), (name, case)
                assert found[name, case, "own"], (name, case)
        # A step that merges has the value of the batches of all.
        assert found["step"] == pytest.approx(formulas.alignment(joined(of[:2], 0), joined(of[:2], 1)), rel=1e-6)
