"""What the machine could do at best, in FLOP/s: what a model's FLOP utilization is measured against."""

import time
from dataclasses import dataclass

import torch

# Dense bfloat16 FLOP/s in the makers' data sheets; the first name that is part of the device's name counts.
DATA_SHEET_FLOPS = {
    "B200": 2250e12,
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "H800": 989e12,
    "A100": 312e12,
    "A800": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "A10G": 70e12,
    "RTX 4090": 165e12,
}
GPU_MEMORY_BYTES = {
    "B200": 180e9,
    "H200": 141e9,
    "H100 PCIe": 80e9,
    "H100": 80e9,
    "H800": 80e9,
    "A100": 80e9,
    "A800": 80e9,
    "L40S": 48e9,
    "L4": 24e9,
    "A10G": 24e9,
    "RTX 4090": 24e9,
}
SECONDS_TO_MEASURE = 0.3


@dataclass(frozen=True)
class Peak:
    flops: float  # a second, of one process's device
    source: str  # how we know


def peak(device: torch.device) -> Peak:
    """A data sheet's number for a known GPU; else that of the fastest of a few large matrix products, right now."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        for part, flops in DATA_SHEET_FLOPS.items():
            if part in name:
                return Peak(flops, f"data sheet of {part}, bfloat16")
        return Peak(_measure(device, torch.bfloat16, 8192), f"matrix product measured on {name}, bfloat16")
    return Peak(_measure(device, torch.float32, 1024), "matrix product measured at start, float32")


def _measure(device: torch.device, dtype: torch.dtype, size: int) -> float:
    left, right = (torch.ones(size, size, device=device, dtype=dtype) for _ in range(2))
    seconds, started = [_seconds(left, right) for _ in range(3)], time.perf_counter()
    while time.perf_counter() - started < SECONDS_TO_MEASURE:
        seconds.append(_seconds(left, right))
    return 2 * size**3 / min(seconds)


def _seconds(left: torch.Tensor, right: torch.Tensor) -> float:
    started = time.perf_counter()
    product = left @ right
    float(product[0, 0])  # waits for the device
    return time.perf_counter() - started
