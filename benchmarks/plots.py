"""Pictures of figures: `python -m benchmarks.plots`; needs the extra `bench`.

Reads what `benchmarks.routing` and `benchmarks.simulate` have saved, and writes SVG files that are light enough to
live beside the tables.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from benchmarks.live import records

mpl.use("svg")
# Text stays text, and ids do not change from run to run.
mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "pindesk"}

RESULTS = Path(__file__).parent / "results"
_OURS, _LIMIT, _PEER = "#0b6e4f", "#9aa5b1", "#c9863f"
_TITLES = {"ours": "Pindesk", "oracle": "limit (oracle)"}


def bars(
    groups: Mapping[str, Mapping[str, float]], label: str, title: str, path: Path, logarithmic: bool = False
) -> None:
    """Horizontal bars of each arm, one panel a workload; ours and the limit in colours of their own."""
    figure, axes = plt.subplots(1, len(groups), figsize=(3.6 * len(groups), 3.0), squeeze=False)
    for panel, (name, values) in zip(axes[0], groups.items(), strict=True):
        arms = sorted(values, key=lambda arm: values[arm], reverse=True)
        panel.barh(
            [_TITLES.get(arm, arm) for arm in arms], [values[arm] for arm in arms], color=[_colour(a) for a in arms]
        )
        panel.set_title(name, fontsize=9)
        panel.set_xlabel(label, fontsize=8)
        panel.tick_params(labelsize=7)
        panel.set_xscale("log" if logarithmic else "linear")
        panel.spines[["top", "right"]].set_visible(False)
        for place, arm in enumerate(arms):
            panel.annotate(f" {values[arm]:.3g}", (values[arm], place), va="center", fontsize=7)
    figure.suptitle(title, fontsize=10)
    _write(figure, path)


def _colour(arm: str) -> str:
    return {"ours": _OURS, "oracle": _LIMIT}.get(arm, _PEER)


def _write(figure: Any, path: Path) -> None:
    """Without a date, so that the same figures give the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def means(rows: Sequence[Mapping[str, Any]], group: str, path: Sequence[str]) -> dict[str, dict[str, float]]:
    """group -> arm -> mean over seeds of a figure."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        value = records.at(row, path)
        if value is not None:
            found.setdefault(row[group], {}).setdefault(row["arm"], []).append(value)
    return {name: {arm: float(np.mean(values)) for arm, values in arms.items()} for name, arms in found.items()}


def measured(runs: Sequence[records.Run], folder: Path) -> list[Path]:
    """Cached share and tail on real replicas."""
    flat = [run | run["figures"] for run in runs]
    shown = [("cached_share", ("cached_share",), "cached share of cacheable prompt tokens"),
             ("ttft_p95", ("ttft_ms", "p95"), "ms to first token, p95")]  # fmt: skip
    paths = []
    for name, path, label in shown:
        paths.append(folder / f"routing_{name}.svg")
        bars(means(flat, "workload", path), label, "Two real vLLM replicas", paths[-1])
    return paths


def simulated(rows: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """The same of a large simulated fleet."""
    count = rows[0]["replicas"]
    title = f"{count} simulated replicas"
    share, tail = folder / f"simulated_{count}_cached_share.svg", folder / f"simulated_{count}_ttft_p95.svg"
    bars(means(rows, "scenario", ("cached_share",)), "cached share of cacheable prompt tokens", title, share)
    bars(means(rows, "scenario", ("ttft_ms", "p95")), "ms to first token, p95", title, tail, logarithmic=True)
    return [share, tail]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measured", type=Path, help="the runs of benchmarks.routing")
    parser.add_argument("--simulated", type=Path, help="the rows of benchmarks.simulate")
    parser.add_argument("--only", default="", help="workloads whose names contain one of these words")
    options = parser.parse_args()
    words = options.only.split(",")
    if options.measured:
        runs = [run for run in records.read(options.measured) if any(word in run["workload"] for word in words)]
        print(*measured(runs, RESULTS), sep="\n")
    if options.simulated:
        rows = json.loads(options.simulated.read_text())["rows"]
        print(*simulated([row for row in rows if any(word in row["scenario"] for word in words)], RESULTS), sep="\n")


if __name__ == "__main__":
    main()
