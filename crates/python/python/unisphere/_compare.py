"""Several models over the same rows: which is better, and is the difference real?"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from . import _native
from ._arrays import PathOrPoints
from ._errors import InvalidInput
from ._estimate import check_seed
from ._evaluate import path_or_none
from ._progress import Progress, Shown
from ._reading import ReadingOptions, is_path, reading, source, source_or_none
from ._report import Paged, Section, flat

if TYPE_CHECKING:
    import pandas
    from typing_extensions import Unpack

Model: TypeAlias = Union[PathOrPoints, tuple[PathOrPoints, PathOrPoints]]
"""One set (n, d), or a tuple of two, whose rows are positive pairs: arrays, or paths."""


class Comparison(Paged):
    """What `compare` found. Every section of the program's JSON is an attribute: `comparison.models[0].uniformity.value`.

    `comparison["name"]` is one model. `print(comparison)` prints what the program prints.
    """

    def __getitem__(self, name: str) -> Section:
        """A model by its name. Raises KeyError."""
        for model in self._known()["models"]:
            if model["name"] == name:
                return Section(model)
        raise KeyError(name)

    def to_frame(self) -> pandas.DataFrame:
        """A row of pandas for each model, by its name, whose columns are its numbers: uniformity.value, difference.uniformity.p_holm.

        Raises ImportError where pandas is not installed.
        """
        import pandas

        return pandas.DataFrame([dict(flat(model, "")) for model in self._known()["models"]]).set_index("name")

    def __repr__(self) -> str:
        known = self._known()
        names = ", ".join(model["name"] for model in known["models"])
        return f"<unisphere.Comparison of {names}, against {known['baseline']}>"

    def _repr_html_(self) -> str:
        """A table of the models, for notebooks."""
        known = self._known()
        metrics = [name for name in ("alignment", "uniformity") if name in known["models"][0]]
        titles = [words for name in metrics for words in (name, "95 % from", "to", "less the baseline’s", "p (Holm)")]
        body = ""
        for model in known["models"]:
            cells = ""
            for name in metrics:
                of, less = model[name], ((model["difference"] or {}).get(name) or {})
                for value in (of["value"], of.get("low"), of.get("high"), less.get("value")):
                    cells += f"<td>{value:.6f}</td>" if isinstance(value, float) else "<td></td>"
                p = less.get("p_holm")
                cells += f"<td>{p:.3g}</td>" if isinstance(p, float) else "<td></td>"
            body += f"<tr><th>{escape(model['name'])}</th>{cells}</tr>"
        head = "".join(f"<th>{title}</th>" for title in titles)
        caption = f"against {escape(known['baseline'])}; of alignment and uniformity, less is better"
        return f"<table><caption>{caption}</caption><tr><th></th>{head}</tr>{body}</table>"


class Comparing:
    """Comparisons, as a method of an engine."""

    def _open(self) -> _native.Engine:
        raise NotImplementedError

    def compare(
        self,
        models: Mapping[str, Model],
        baseline: str | None = None,
        *,
        t: float = 2.0,
        alpha: float | None = None,
        scores: Mapping[str, float] | None = None,
        steps: Mapping[str, float] | None = None,
        raw: bool = False,
        seed: int = 0,
        cache: str | os.PathLike[str] | None = None,
        progress: Progress = False,
        **files: Unpack[ReadingOptions],
    ) -> Comparison:
        """Holds models against a baseline, the first unless it is named: each metric with its 95 % interval, and differences with
        p-values, also corrected for their number (Holm).

        models are names with a set each (n, d), or with a tuple of two sets whose rows are positive pairs: arrays, or paths, also of
        a folder with a file x and perhaps a file y. All are single sets, or all pairs, which have alignment too (alpha is 2 unless
        given). Row i of every model is taken for the same thing: uniformity U is compared by the jackknife, in which row i is left out
        of both models at once, D₍₋ᵢ₎ = U(model)₍₋ᵢ₎ − U(baseline)₍₋ᵢ₎, with the standard error √((n−1)/n · Σ(D₍₋ᵢ₎ − mean)²) and Student's t.
        Models with other numbers of rows have no difference.

        scores and steps are names with numbers, of all models or some: correlations of each metric with the scores (`seed` is that of
        their resamples), and changes from step to step. `cache` is a folder that keeps what was measured of files. Files are read as the
        options of `evaluate` say; one that cannot be measured is warned of and told in `failed`, as long as another can.

        Raises InvalidInput for names and options that contradict each other, and for arrays that cannot be measured; FileError where
        no model can be, or a path is not there.
        """
        if not isinstance(models, Mapping) or not models:
            raise InvalidInput("models must be a dictionary of names with sets, of one model at least")
        check_seed(seed)
        of_names = [name for name in models if not isinstance(name, str)]
        if of_names:
            raise InvalidInput(f"models: a name must be a text, and is {of_names[0]!r}")
        baseline = next(iter(models)) if baseline is None else baseline
        for what, names in (("baseline", [baseline]), ("scores", scores or ()), ("steps", steps or ())):
            for name in names:
                if name not in models:
                    raise InvalidInput(f"{what}: no model is called {name!r}; the models are {', '.join(models)}")
        sets = {name: model if isinstance(model, tuple) else (model, None) for name, model in models.items()}
        for name, of in sets.items():
            if len(of) != 2:
                raise InvalidInput(f"models: {name} must be one set or two, and is a tuple of {len(of)}")
        of_files = reading(files, "compare", *(x for x, _ in sets.values()))
        has_two = any(files.get(pair) for pair in ("columns", "tensors", "members"))
        kinds = {name: _is_pair(of[0], of[1], has_two) for name, of in sets.items()}
        if len(set(kinds.values())) > 1:
            pair = next(name for name, is_pair in kinds.items() if is_pair)
            single = next(name for name, is_pair in kinds.items() if not is_pair)
            raise InvalidInput(
                f"models: {pair} is a pair of sets, and {single} is one set; compare models that are all pairs, or the sets alone"
            )
        if alpha is not None and not any(kinds.values()):
            raise InvalidInput("alpha is of alignment, which takes positive pairs, and models are one set each; leave it out")
        given = [
            {
                "name": name,
                "x": source(x, f"{name}: x"),
                "y": source_or_none(y, f"{name}: y"),
                "step": _number(steps, name, "steps"),
                "score": _number(scores, name, "scores"),
            }
            for name, (x, y) in sets.items()
        ]
        how = {
            "baseline": baseline, "t": float(t), "alpha": alpha, "raw": raw, "seed": seed, "reading": of_files,
            "cache": path_or_none(cache),
        }
        with Shown(progress) as report:
            found = Comparison(_native.compare(self._open(), given, how, report))
        for failed in found.to_dict()["failed"]:
            warnings.warn(f"{failed['name']} could not be measured: {failed['reason']}", stacklevel=2)
        return found


def _is_pair(x: PathOrPoints, y: PathOrPoints | None, has_two: bool) -> bool:
    if y is None and is_path(x) and os.path.isdir(os.fspath(x)):  # type: ignore[arg-type]
        return any(os.path.splitext(name)[0] == "y" for name in os.listdir(x))  # type: ignore[arg-type]
    return y is not None or has_two


def _number(of: Mapping[str, float] | None, name: str, what: str) -> float | None:
    value = None if of is None else of.get(name)
    if value is None:
        return None
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        raise InvalidInput(f"{what}: {name} must have a finite number, and has {number}")
    return number
