"""Pictures from tables.

Reads data frames, writes PNG files. Must not know how the tables were made.
"""

from pathlib import Path

import matplotlib
import pandas as pd

from trailers12k.files import replacing
from trailers12k.summary import CHANCE, CONSTANT

matplotlib.use("Agg")

from matplotlib import pyplot

PANELS = {"uap": "µAP", "map": "mAP"}
SUBSETS = {"training": "#1b6ca8", "validation": "#e08e0b", "test": "#2a9d5c"}
TRAINED, UNTRAINED = "#1b6ca8", "#8a9ba8"
UNTRAINED_WORDS = "untrained (random) weights"
# The ten strong colours, then the ten pale ones.
COLOURS = [pyplot.colormaps["tab20"](n) for n in (*range(0, 20, 2), *range(1, 20, 2))]


def plot_results(summary: pd.DataFrame, path: str | Path) -> None:
    """µAP and mAP of every run (rows of summary.csv), mean ± sd over splits, and chance as a line.

    Runs on untrained weights are grey, and the legend says so.
    """
    chance = summary.set_index("run").loc[CHANCE]
    runs = summary[~summary["run"].isin([CHANCE, CONSTANT])].iloc[::-1]
    untrained = runs["weights"].str.contains("untrained")
    colours = [UNTRAINED if grey else TRAINED for grey in untrained]
    height = 1.4 + 0.32 * len(runs)
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(9, height), sharey=True)
    for axis, (figure_name, label) in zip(axes, PANELS.items(), strict=True):
        axis.barh(
            runs["run"],
            runs[figure_name],
            xerr=runs[f"{figure_name}_sd"],
            color=colours,
            error_kw={"elinewidth": 1, "capsize": 2},
        )
        axis.axvline(chance[figure_name], color="#c0392b", linestyle="--")
        axis.set_xlabel(f"{label} on the test movies, %")
        axis.set_xlim(0, 100)
        axis.spines[["top", "right"]].set_visible(False)
    handles = [pyplot.Line2D([], [], color="#c0392b", linestyle="--", label="chance")]
    for colour, label, there in (
        (TRAINED, "pretrained weights", ~untrained),
        (UNTRAINED, UNTRAINED_WORDS, untrained),
    ):
        if there.any():
            handles.append(pyplot.Rectangle((0, 0), 1, 1, color=colour, label=label))
    figure.legend(handles=handles, loc="upper center", ncols=len(handles), frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.35 / height))
    _save(figure, path)


def plot_curves(
    precision_recall: pd.DataFrame, learning: pd.DataFrame, tst: pd.DataFrame, path: str | Path
) -> None:
    """The precision-recall and the learning curves of every run, tables of `curves`.

    tst: rows of transfer/tst.csv. Runs on untrained weights are dashed, and the legend says so.
    """
    weights = tst.groupby("run")["weights"].first()[precision_recall.columns]
    untrained = weights.str.contains("untrained")
    lines = -(-len(untrained) // 5)
    figure, axes = pyplot.subplots(1, 2, figsize=(10.5, 4.6 + 0.22 * lines))
    for axis, table in zip(axes, (precision_recall, learning), strict=True):
        for number, run in enumerate(table):
            axis.plot(
                table.index,
                table[run],
                color=COLOURS[number % len(COLOURS)],
                linestyle="--" if untrained[run] else "-",
                linewidth=1.4,
                label=run,
            )
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set(xlim=(0, 1), ylim=(0, 102), xlabel="recall", ylabel="precision, %")
    axes[0].set_title("test movies, mean over splits", size=9)
    axes[1].set(xlabel="epoch", ylabel="validation loss", ylim=(0, None))
    axes[1].set_title("mean over the splits that still train", size=9)
    handles, _ = axes[0].get_legend_handles_labels()
    figure.legend(handles=handles, loc="lower center", ncols=5, frameon=False)
    styles = (("-", "pretrained weights", ~untrained), ("--", UNTRAINED_WORDS, untrained))
    handles = [
        pyplot.Line2D([], [], color="#555555", linestyle=style, label=label)
        for style, label, there in styles
        if there.any()
    ]
    figure.legend(handles=handles, loc="upper center", ncols=2, frameon=False)
    height = figure.get_figheight()
    figure.tight_layout(rect=(0, (0.1 + 0.22 * lines) / height, 1, 1 - 0.32 / height), w_pad=3)
    _save(figure, path)


def plot_splits(balance: pd.DataFrame, path: str | Path) -> None:
    """Of every split (rows of splits.csv), the share of each genre in each subset, relative to its
    share overall: points on the line at 1 are perfectly divided. Three splits a row."""
    names = balance["split"].unique()
    genres = list(balance.columns[5:])
    lines = -(-len(names) // 3)
    figure, axes = pyplot.subplots(
        lines, 3, figsize=(10.5, 0.6 + 3.6 * lines), sharey=True, sharex=True, squeeze=False
    )
    for axis, name in zip(axes.flat, names, strict=True):
        rows = balance[balance["split"] == name]
        for place, (_, row) in enumerate(rows.iterrows()):
            heights = [number + 0.25 * (place - 1) for number in range(len(genres))]
            label = row["subset"]
            axis.scatter(row[genres].astype(float), heights, 28, label=label, color=SUBSETS[label])
        axis.axvline(1, color="#555555", linewidth=1)
        label_deviation, pair_deviation = rows.iloc[0][["label_deviation", "pair_deviation"]]
        axis.set_title(f"{name}\nlabel {label_deviation:.3f}, pair {pair_deviation:.4f}", size=9)
        axis.set_yticks(range(len(genres)), genres)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("share / share overall")
    axes[0][0].invert_yaxis()
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=3, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.32 / figure.get_figheight()))
    _save(figure, path)


def _save(figure: pyplot.Figure, path: str | Path) -> None:
    with replacing(path) as partial:
        # Without the version of matplotlib in it, the file is the same wherever the table is.
        figure.savefig(partial, format="png", dpi=120, metadata={"Software": None})
    pyplot.close(figure)
