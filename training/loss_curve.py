"""Draws `loss_curve.png`: the training loss, smoothed over it, and the validation loss."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.metrics import Line

GREY, BLUE, ORANGE = "#c9ced6", "#2457a6", "#d9622b"


def draw(lines: list[Line], path: Path, title: str) -> None:
    """Writes a PNG of 1600 x 900 pixels. The x axis counts tokens."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    trained = [line for line in lines if line.loss is not None]
    tokens, losses = np.array([line.tokens for line in trained]), np.array([line.loss for line in trained], dtype=float)
    axes.plot(tokens, losses, color=GREY, linewidth=0.8, label="training, each step")
    axes.plot(tokens, smoothed(losses), color=BLUE, linewidth=1.8, label="training, smoothed")
    validated = [(line.tokens, line.validation_loss) for line in lines if line.validation_loss is not None]
    if validated:
        points = np.array(validated)
        axes.plot(points[:, 0], points[:, 1], color=ORANGE, linewidth=1.2, marker="o", markersize=4, label="validation")
        axes.annotate(f"{points[-1, 1]:.3f}", tuple(points[-1]), textcoords="offset points", xytext=(0, 7), ha="center")
    axes.set(xlabel="tokens trained on", ylabel="loss (nats per token)", title=title)
    axes.xaxis.set_major_formatter(_compact)
    axes.grid(color="#eceff3", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Software": None})


def smoothed(losses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """An exponential moving average over about a thirtieth of the run, without the bias of its start."""
    keep = 1 - 1 / max(1.0, len(losses) / 30)
    average, weight, result = 0.0, 0.0, np.empty(len(losses))
    for index, loss in enumerate(losses):
        average, weight = keep * average + (1 - keep) * loss, keep * weight + (1 - keep)
        result[index] = average / weight
    return result


def _compact(tokens: float, _position: float) -> str:
    """1500000 -> 1.5M"""
    for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if tokens >= unit:
            return f"{tokens / unit:g}{letter}"
    return f"{tokens:g}"
