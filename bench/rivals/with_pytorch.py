"""PyTorch, eager or compiled (`torch.compile`): rows on the device from the start, fused Adam, no DataLoader."""

import functools

import torch
from torch import nn
from torch.nn import functional

from protocol import gradient, serve


def layers(work):
    for inputs, outputs in zip(work.widths, work.widths[1:-1]):
        yield nn.Linear(inputs, outputs, bias=not work.batch_norm)
        if work.batch_norm:
            yield nn.BatchNorm1d(outputs)
        yield nn.ReLU()
        if work.dropout:
            yield nn.Dropout(work.dropout)
    yield nn.Linear(*work.widths[-2:])


class Stacked(nn.Module):
    """As many networks as there are rates, each a slice of every tensor: one batched product a layer."""

    def __init__(self, work):
        super().__init__()
        runs = len(work.rates)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in zip(work.widths, work.widths[1:]):
            limit = inputs**-0.5
            self.weights.append(torch.empty(runs, inputs, outputs).uniform_(-limit, limit))
            self.biases.append(torch.empty(runs, 1, outputs).uniform_(-limit, limit))

    def forward(self, x):
        x = x.expand(len(self.weights[0]), *x.shape)
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            x = torch.baddbmm(bias, x if i == 0 else functional.relu(x), weight)
        return x


class StackedAdam:
    """PyTorch's Adam takes one rate; this one has one for every slice of its tensors."""

    def __init__(self, params, rates):
        self.params = list(params)
        self.first = [torch.zeros_like(p) for p in self.params]
        self.second = [torch.zeros_like(p) for p in self.params]
        self.rates = -torch.tensor(rates).reshape(-1, 1, 1)
        self.count = 0

    def zero_grad(self, set_to_none):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.count += 1
        grads = [p.grad for p in self.params]
        torch._foreach_lerp_(self.first, grads, 1 - 0.9)
        torch._foreach_mul_(self.second, 0.999)
        torch._foreach_addcmul_(self.second, grads, grads, 1 - 0.999)
        roots = torch._foreach_sqrt(self.second)
        torch._foreach_mul_(roots, (1 - 0.9**self.count) / (1 - 0.999**self.count) ** 0.5)
        torch._foreach_add_(roots, 1e-8)
        moves = torch._foreach_div(self.first, roots)
        torch._foreach_mul_(moves, [self.rates] * len(moves))
        torch._foreach_add_(self.params, moves)


def set_up(threads):
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


class Rival:
    version = torch.__version__

    def __init__(self, work, threads, variant):
        set_up(threads)
        self.work = work
        self.x, self.y = torch.from_numpy(work.x), torch.from_numpy(work.y)
        self.y = self.y.unsqueeze(1) if work.regression else self.y.long()
        # One model for all rounds: what is compiled for it stays.
        self.model = Stacked(work) if work.rates else nn.Sequential(*layers(work))
        self.begin = {name: value.clone() for name, value in self.model.state_dict().items()}
        wrap = functools.partial(torch.compile, mode="max-autotune") if variant == "compile" else lambda f: f
        predicts = work.task == "predict"
        self.forward = wrap(self.model.forward) if predicts else self.model.forward
        self.losses = self.compute_losses if predicts else wrap(self.compute_losses)

    def compute_losses(self, x, y):
        """The mean loss, of every run if there are several."""
        outputs = self.model(x)
        if self.work.rates:
            runs = len(outputs)
            each = functional.cross_entropy(outputs.flatten(0, 1), y.repeat(runs), reduction="none")
            return each.reshape(runs, -1).mean(dim=1)
        return functional.mse_loss(outputs, y) if self.work.regression else functional.cross_entropy(outputs, y)

    def fresh(self, seed):
        work = self.work
        torch.manual_seed(seed)
        self.model.load_state_dict(self.begin)
        params = self.model.parameters()
        if work.rates:
            self.optimizer = StackedAdam(params, work.rates)
        elif work.optimizer == "adamw":
            self.optimizer = torch.optim.AdamW(params, lr=work.lr, weight_decay=work.weight_decay, fused=True)
        else:
            self.optimizer = torch.optim.Adam(params, lr=work.lr, fused=True)

    def train(self):
        self.model.train()
        for _ in range(self.work.epochs):
            for rows in torch.randperm(self.work.rows).split(self.work.batch):
                self.optimizer.zero_grad(set_to_none=True)
                self.losses(self.x[rows], self.y[rows]).sum().backward()
                if self.work.clip:
                    nn.utils.clip_grad_norm_(self.model.parameters(), self.work.clip)
                self.optimizer.step()

    @torch.inference_mode()
    def loss(self):
        self.model.eval()
        return self.compute_losses(self.x[self.work.measured], self.y[self.work.measured]).tolist()

    @torch.inference_mode()
    def predict(self, x):
        self.model.eval()
        return self.forward(torch.from_numpy(x)).numpy()


class Update:
    """The fused AdamW; compiled, PyTorch's own, which the compiler fuses."""

    version = torch.__version__

    def __init__(self, work, threads, variant):
        set_up(threads)
        grads = torch.from_numpy(gradient(work))
        self.weight = nn.Parameter(torch.zeros_like(grads))
        self.weight.grad = grads
        settings = {"lr": work.lr, "weight_decay": work.weight_decay}
        if variant == "compile":
            # A rate that is a tensor is not compiled in, nor is the step's number.
            settings["lr"] = torch.tensor(work.lr)
        optimizer = torch.optim.AdamW([self.weight], **settings, fused=variant != "compile")

        def step():
            if work.clip:
                nn.utils.clip_grad_norm_([self.weight], work.clip)
            optimizer.step()

        self.step = torch.compile(step) if variant == "compile" else step

    def prepare(self):
        """Nothing: a gradient that has been clipped is clipped again at the same cost."""

    def size(self):
        return float(self.weight.detach().abs().mean())


if __name__ == "__main__":
    serve(Rival, Update)
