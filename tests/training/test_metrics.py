import json
import math
import struct
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from training import cost, hardware, loss_curve, metrics
from training.metrics import Line, MetricsLog
from training.progress import duration

LINE = Line(1, 6.5, None, 1e-3, 0.5, False, 100, 50.0, 0.25, 2.0, 0.001)


def lines(losses, validation=None) -> list[Line]:
    found = (validation or {}).get
    return [replace(LINE, step=n, tokens=100 * n, loss=x, validation_loss=found(n)) for n, x in enumerate(losses, 1)]


def test_one_line_of_json_a_step(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl", steps_done=0)
    log.append(LINE)
    assert [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()] == [asdict(LINE)]


def test_going_on_drops_the_steps_that_are_done_again(tmp_path):
    path = tmp_path / "metrics.jsonl"
    log = MetricsLog(path, 0)
    for line in lines([3.0, 2.0, 1.0]):
        log.append(line)
    log.close()
    path.write_text(path.read_text() + '{"step": 4, "lo')  # killed while it wrote
    again = MetricsLog(path, steps_done=2)
    again.append(replace(LINE, step=3))
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2, 3]
    assert [line.loss for line in again.lines] == [3.0, 2.0, 6.5]


def test_what_is_not_finite_is_null():
    assert [metrics.finite(x) for x in (1.0, math.nan, math.inf)] == [1.0, None, None]
    with pytest.raises(ValueError, match="JSON"):
        metrics._json(replace(LINE, loss=math.nan))


def test_the_final_losses():
    run = lines([100.0] * 10 + [2.0] * 19 + [None] + [4.0], {5: 9.0, 25: 3.0})
    assert metrics.final_train_loss(run) == pytest.approx((18 * 2 + 4) / 19)  # of the last 20 steps, one not finite
    assert metrics.final_validation_loss(run) == 3.0
    assert metrics.final_validation_loss(lines([1.0])) is None


def test_the_curve_is_a_png_of_its_size_with_every_line_in_it(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, *_, **__: drawn.append(figure.axes[0]))
    loss_curve.draw(lines([3.0, None, 1.0], {1: 4.0, 3: 2.0}), tmp_path / "a.png", "title")
    curves = {line.get_label(): line.get_xydata().tolist() for line in drawn[0].lines}
    assert curves["training, each step"] == [[100, 3.0], [300, 1.0]]
    assert curves["validation"] == [[100, 4.0], [300, 2.0]]
    assert (drawn[0].get_xlabel(), drawn[0].get_ylabel()) == ("tokens trained on", "loss (nats per token)")
    monkeypatch.undo()
    loss_curve.draw(lines([3.0]), tmp_path / "b.png", "title")
    assert struct.unpack(">II", (tmp_path / "b.png").read_bytes()[16:24]) == (1600, 900)


def test_smoothing_keeps_a_constant_and_damps_noise():
    assert loss_curve.smoothed(np.full(90, 2.0)) == pytest.approx(np.full(90, 2.0))
    noise = np.array([1.0, 3.0] * 150)
    assert np.abs(loss_curve.smoothed(noise)[100:] - 2.0).max() < 0.1


@pytest.mark.parametrize(
    ("name", "teraflops"),
    [
        ("NVIDIA H100 80GB HBM3", 989),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA A100-SXM4-80GB", 312),
        ("NVIDIA L40S", 362),
        ("NVIDIA L4", 121),
        ("NVIDIA A10G", 70),
    ],
)
def test_the_peak_of_a_known_gpu(monkeypatch, name, teraflops):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: name)
    assert hardware.peak(torch.device("cuda")).flops == teraflops * 1e12


def test_the_peak_of_a_cpu_is_measured():
    peak = hardware.peak(torch.device("cpu"))
    assert 1e8 < peak.flops < 1e15
    assert "measured" in peak.source


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (75, "1:15"), (3675, "1:01:15")])
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_the_peak_memory_is_the_gpus_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 7 if device.type == "cuda" else 0)
    assert cost._peak_memory_bytes(torch.device("cuda")) == 7
    assert cost._peak_memory_bytes(torch.device("cpu")) > 1e7
