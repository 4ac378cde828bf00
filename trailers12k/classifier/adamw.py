"""AdamW with AMSGrad, whose learning rate falls on a plateau of the validation loss.

Reads and writes nothing. Must not know models, batches, nor when training ends.

The arithmetic is torch's own, called as a function. The constructor of `torch.optim.AdamW` imports
torch's compiler, which a training does not use: 0.9 CPU s of the 3 that one of the sample took.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

BETAS = 0.9, 0.999
EPS = 1e-8
THRESHOLD = 1e-4
FACTOR = 0.1
"""Defaults of `torch.optim.AdamW` and of `torch.optim.lr_scheduler.ReduceLROnPlateau`."""


class AdamW:
    """The steps of `torch.optim.AdamW(parameters, lr, weight_decay=weight_decay, amsgrad=True)`."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float):
        self.lr = lr
        self.weight_decay = weight_decay
        self._parameters = list(parameters)
        self._moments = {
            name: [torch.zeros_like(each) for each in self._parameters]
            for name in ("exp_avgs", "exp_avg_sqs", "max_exp_avg_sqs")
        }
        # On the CPU, so that no step waits for a GPU.
        self._steps = [torch.tensor(0.0) for _ in self._parameters]

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        gradients = [parameter.grad for parameter in self._parameters]
        used = [n for n, gradient in enumerate(gradients) if gradient is not None]
        exp_avgs, exp_avg_sqs, max_exp_avg_sqs = (
            [moments[n] for n in used] for moments in self._moments.values()
        )
        adamw(
            [self._parameters[n] for n in used],
            [gradient for gradient in gradients if gradient is not None],
            exp_avgs,
            exp_avg_sqs,
            max_exp_avg_sqs,
            [self._steps[n] for n in used],
            amsgrad=True,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=self.lr,
            weight_decay=self.weight_decay,
            eps=EPS,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """Plain values and tensors from which `load_state_dict` restores this state."""
        return {"lr": self.lr, "steps": self._steps, **self._moments}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.lr = saved["lr"]
        own: dict[str, list[Tensor]] = {"steps": self._steps, **self._moments}
        for name, tensors in own.items():
            for tensor, value in zip(tensors, saved[name], strict=True):
                tensor.copy_(value)


class Plateau:
    """Divides the learning rate by ten when the loss stays.

    As `torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=patience)`.
    patience: epochs without a loss lower by `THRESHOLD` (relative) that are tolerated.
    """

    def __init__(self, optimizer: AdamW, patience: int):
        self._optimizer = optimizer
        self._patience = patience
        self._best = math.inf
        self._bad_epochs = 0

    def step(self, loss: float) -> None:
        """Count an epoch with this validation loss."""
        if loss < self._best * (1 - THRESHOLD):
            self._best, self._bad_epochs = loss, 0
        else:
            self._bad_epochs += 1
        if self._bad_epochs > self._patience:
            self._bad_epochs = 0
            lower = self._optimizer.lr * FACTOR
            if self._optimizer.lr - lower > EPS:
                self._optimizer.lr = lower

    def state_dict(self) -> dict[str, Any]:
        """Plain values from which `load_state_dict` restores this state."""
        return {"best": self._best, "bad_epochs": self._bad_epochs}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._best, self._bad_epochs = saved["best"], saved["bad_epochs"]
