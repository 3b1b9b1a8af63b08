"""The callbacks of other frameworks' loops, in their quick-starts on data made here."""

import os
import threading

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")

import downhill  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, Dataset, TensorDataset  # noqa: E402

torch.set_num_threads(1)


def rows(count=256):
    """Two classes in ten numbers."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, 10, generator=generator)
    return x, (x[:, 0] + x[:, 1] ** 2 > 1).long()


def events(folder, kind):
    return [event for event in downhill.Run(folder).events if event["event"] == kind]


@pytest.fixture(autouse=True)
def made(monkeypatch):
    """The steps that were made, by the folder of their run: a log has none of them."""
    from downhill._driven import Driven

    take, steps = Driven.take, {}

    def noted(session, loss, rows=1):
        step, lr, rehearsing = session.step_number, session.lr, session.rehearsing
        well = take(session, loss, rows)
        if well and not rehearsing:
            steps.setdefault(session.path.name, []).append((step, lr, loss))
        return well

    monkeypatch.setattr(Driven, "take", noted)
    return steps


def rates(made, name="run"):
    return [lr for _, lr, _ in made[name]]


def expected(schedule, steps, epoch):
    return downhill.rates(schedule, steps, steps_per_epoch=epoch).tolist()


# Hugging Face's Trainer.


class Rows(Dataset):
    def __init__(self):
        self.x, self.y = rows()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, at):
        return {"x": self.x[at], "labels": self.y[at]}


class Classifier(nn.Module):
    """A model as the ``Trainer`` wants it: it returns its loss where it is given labels."""

    def __init__(self, spoilt=()):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
        self.spoilt, self.calls = set(spoilt), 0

    def forward(self, x, labels=None):
        logits = self.body(x)
        loss = nn.functional.cross_entropy(logits, labels)
        if self.training:
            loss = loss * float("nan") if self.calls in self.spoilt else loss
            self.calls += 1
        return {"loss": loss, "logits": logits}


def trainer(folder, model, callback, **settings):
    transformers = pytest.importorskip("transformers")
    args = {
        "per_device_train_batch_size": 32, "num_train_epochs": 3, "learning_rate": 1e-2, "report_to": [],
        "logging_steps": 4, "save_strategy": "no", "use_cpu": True, "disable_tqdm": True, "eval_strategy": "epoch",
        **settings,
    }
    args = transformers.TrainingArguments(output_dir=str(folder), **args)
    return transformers.Trainer(model, args, train_dataset=Rows(), eval_dataset=Rows(), callbacks=[callback])


@pytest.fixture
def huggingface():
    pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    import downhill.transformers

    return downhill.transformers.DownhillCallback


def test_transformers_trainer_follows_the_schedule(tmp_path, made, huggingface):
    callback = huggingface("cosine(0.02)", tmp_path / "run")
    loop = trainer(tmp_path / "out", Classifier(), callback)
    loop.train()
    run = downhill.Run(tmp_path / "run")
    assert run.state == "finished" and callback.session.stop == "finished"
    assert rates(made) == expected("cosine(0.02)", 24, 8)
    assert [epoch["epoch"] for epoch in run.epochs] == [0, 1, 2]
    # What was evaluated is the validation loss of the epoch that it was evaluated after.
    evaluated = [log["eval_loss"] for log in loop.state.log_history if "eval_loss" in log]
    assert [epoch["valid_loss"] for epoch in run.epochs] == pytest.approx(evaluated)
    # The rates that it shows are the ones in force, and the losses the ones of its own log.
    shown = [log["learning_rate"] for log in loop.state.log_history if "learning_rate" in log]
    assert shown == pytest.approx(expected("cosine(0.02)", 24, 8)[3::4])
    losses = np.array([loss for _, _, loss in made["run"]]).reshape(-1, 4).mean(axis=1)
    logged = [log["loss"] for log in loop.state.log_history if "loss" in log]
    np.testing.assert_allclose(losses, logged, rtol=1e-3, atol=1e-4)


def test_transformers_trainer_goes_back_from_nan(tmp_path, made, huggingface):
    model = Classifier(spoilt={13})
    trainer(tmp_path / "out", model, huggingface(0.02, tmp_path / "run")).train()
    (rollback,) = events(tmp_path / "run", "rollback")
    assert (rollback["step"], rollback["to"], rollback["scale"]) == (13, 8, 0.5)
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    assert rates(made)[-1] == 0.01
    assert downhill.Run(tmp_path / "run").state == "ended"
    assert any("not make them again" in note for note in downhill.Run(tmp_path / "run").notes)


def test_transformers_trainer_finds_a_rate_and_accumulates(tmp_path, made, huggingface):
    callback = huggingface("auto", tmp_path / "run")
    model = Classifier()
    trainer(
        tmp_path / "out", model, callback,
        num_train_epochs=20, gradient_accumulation_steps=2, per_device_train_batch_size=16, eval_strategy="no",
    ).train()
    assert callback.session.found["steps"] > 0
    run = downhill.Run(tmp_path / "run")
    assert rates(made) == expected(callback.session.found["schedule"], 160, 8)
    assert run.epochs[-1]["train_loss"] < 0.5 < run.epochs[0]["train_loss"]


def test_transformers_trainer_resumes_with_the_schedule(tmp_path, made, huggingface):
    settings = {"save_strategy": "steps", "save_steps": 10, "eval_strategy": "no"}
    trainer(tmp_path / "whole-out", Classifier(), huggingface("cosine(0.02)", tmp_path / "whole"), **settings).train()

    class Stops(pytest.importorskip("transformers").TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            control.should_training_stop = state.global_step == 10

    first = trainer(tmp_path / "out", Classifier(), huggingface("cosine(0.02)", tmp_path / "run"), **settings)
    first.add_callback(Stops())
    first.train()
    second = trainer(tmp_path / "out", Classifier(), huggingface("cosine(0.02)", tmp_path / "other"), **settings)
    second.train(resume_from_checkpoint=True)
    assert not (tmp_path / "other").exists()
    assert made["run"] == made["whole"]
    assert downhill.Run(tmp_path / "run").state == "finished"


def test_transformers_trainer_is_stopped_from_elsewhere(tmp_path, made, huggingface):
    callback, model = huggingface(0.02, tmp_path / "run"), Classifier()

    class Tells(pytest.importorskip("transformers").TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == 5:
                self.thread = threading.Thread(target=downhill.Run(tmp_path / "run").stop)
                self.thread.start()
            if callback.session.stop is None:
                self.weights = {name: value.clone() for name, value in model.state_dict().items()}

    loop, tells = trainer(tmp_path / "out", model, callback, eval_strategy="no", num_train_epochs=500), Tells()
    loop.add_callback(tells)
    loop.train()
    tells.thread.join()
    run = downhill.Run(tmp_path / "run")
    assert run.state == "interrupted" and 5 <= len(made["run"]) < 4000
    # The batch that was under way has changed nothing.
    assert all(torch.equal(value, tells.weights[name]) for name, value in model.state_dict().items())


def test_a_model_without_a_loss_is_refused(tmp_path, made, huggingface):
    class Bare(Classifier):
        def forward(self, x, labels=None):
            return {"logits": self.body(x)}

    with pytest.raises(ValueError, match="returns no loss"):
        trainer(tmp_path / "out", Bare(), huggingface("auto", tmp_path / "run")).train()


# Lightning.


@pytest.fixture
def lightning():
    pytest.importorskip("lightning")
    import downhill.lightning

    return downhill.lightning.DownhillCallback


def module(spoilt=(), log=True):
    pl = pytest.importorskip("lightning.pytorch")

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.body = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
            self.losses, self.spoilt = [], set(spoilt)

        def training_step(self, batch, batch_idx):
            x, y = batch
            loss = nn.functional.cross_entropy(self.body(x), y)
            if self.global_step in self.spoilt:
                self.spoilt.remove(self.global_step)
                loss = loss * float("nan")
            self.log("train_loss", loss)
            self.losses.append(float(loss.detach()))
            return loss

        def validation_step(self, batch, batch_idx):
            x, y = batch
            self.log("val_loss", nn.functional.cross_entropy(self.body(x), y))

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=1e-2)

    return Module()


def fit(folder, model, callback, resume=None, **settings):
    pl = pytest.importorskip("lightning.pytorch")
    settings = {"max_epochs": 3, "enable_checkpointing": False, **settings}
    trainer = pl.Trainer(
        accelerator="cpu", devices=1, logger=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=folder, callbacks=[callback], **settings,
    )
    loader = DataLoader(TensorDataset(*rows()), batch_size=32, shuffle=True)
    torch.manual_seed(1)
    trainer.fit(model, loader, DataLoader(TensorDataset(*rows()), batch_size=128), ckpt_path=resume)
    return trainer


def test_lightning_follows_the_schedule(tmp_path, made, lightning):
    callback, model = lightning("cosine(0.02)", tmp_path / "run"), module()
    trainer = fit(tmp_path, model, callback)
    run = downhill.Run(tmp_path / "run")
    assert run.state == "finished" and rates(made) == expected("cosine(0.02)", 24, 8)
    assert [loss for _, _, loss in made["run"]] == model.losses
    assert run.epochs[-1]["valid_loss"] == pytest.approx(float(trainer.callback_metrics["val_loss"]))
    assert run.epochs[-1]["valid_loss"] < run.epochs[0]["valid_loss"]


def test_lightning_goes_back_from_nan(tmp_path, made, lightning):
    model = module(spoilt={13})
    fit(tmp_path, model, lightning(0.02, tmp_path / "run"))
    (rollback,) = events(tmp_path / "run", "rollback")
    assert (rollback["step"], rollback["to"], rollback["scale"]) == (13, 8, 0.5)
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    assert rates(made)[-1] == 0.01 and downhill.Run(tmp_path / "run").state == "ended"


def test_lightning_finds_a_rate_and_accumulates(tmp_path, made, lightning):
    callback, model = lightning("auto", tmp_path / "run"), module()
    weights = {name: value.clone() for name, value in model.state_dict().items()}

    class Looks(pytest.importorskip("lightning.pytorch").Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            if trainer.global_step == 0 and batch_idx == 0:
                self.same = all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())

    looks = Looks()
    pl = pytest.importorskip("lightning.pytorch")
    trainer = pl.Trainer(
        accelerator="cpu", devices=1, logger=False, enable_progress_bar=False, enable_model_summary=False,
        enable_checkpointing=False, default_root_dir=tmp_path, callbacks=[callback, looks], max_epochs=20,
        accumulate_grad_batches=2,
    )
    trainer.fit(model, DataLoader(TensorDataset(*rows()), batch_size=16, shuffle=True))
    assert callback.session.found["steps"] > 0 and looks.same
    run = downhill.Run(tmp_path / "run")
    assert rates(made) == expected(callback.session.found["schedule"], 160, 8)
    assert run.epochs[-1]["train_loss"] < 0.5 < run.epochs[0]["train_loss"]


def test_lightning_resumes_with_the_schedule(tmp_path, made, lightning):
    pl = pytest.importorskip("lightning.pytorch")
    callback = lightning("cosine(0.02)", tmp_path / "run")

    class Stops(pl.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if trainer.global_step == 10:
                trainer.save_checkpoint(tmp_path / "ten.ckpt")
                raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        trainer = pl.Trainer(
            accelerator="cpu", devices=1, logger=False, enable_progress_bar=False, enable_model_summary=False,
            enable_checkpointing=False, default_root_dir=tmp_path, callbacks=[callback, Stops()], max_epochs=3,
        )
        trainer.fit(module(), DataLoader(TensorDataset(*rows()), batch_size=32))
    assert downhill.Run(tmp_path / "run").state == "interrupted"
    fit(tmp_path, module(), lightning("cosine(0.02)", tmp_path / "other"), resume=tmp_path / "ten.ckpt")
    assert not (tmp_path / "other").exists()
    assert rates(made) == expected("cosine(0.02)", 24, 8)
    assert downhill.Run(tmp_path / "run").state == "finished"


# Keras.


@pytest.fixture
def keras_callback():
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "torch":
        pytest.skip(f"Keras runs on {keras.backend.backend()}")
    import downhill.keras

    return downhill.keras.DownhillCallback


def keras_model(lr=0.01):
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(2, activation="softmax")])
    model.compile(keras.optimizers.Adam(lr), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_keras_follows_the_schedule(tmp_path, made, keras_callback):
    x, y = (part.numpy() for part in rows())
    model = keras_model()
    history = model.fit(
        x, y, batch_size=32, epochs=3, validation_data=(x, y), verbose=0,
        callbacks=[keras_callback("cosine(0.02)", tmp_path / "run")],
    ).history
    run = downhill.Run(tmp_path / "run")
    assert run.state == "finished" and rates(made) == pytest.approx(expected("cosine(0.02)", 24, 8))
    assert [epoch["valid_loss"] for epoch in run.epochs] == pytest.approx(history["val_loss"])
    assert [epoch["train_loss"] for epoch in run.epochs] == pytest.approx(history["loss"], rel=1e-5)
    assert float(model.optimizer.learning_rate) == pytest.approx(expected("cosine(0.02)", 24, 8)[-1])


def test_keras_goes_back_from_nan(tmp_path, made, keras_callback):
    x, y = (part.numpy().copy() for part in rows())
    x[13 * 32 % 256] = np.nan
    model = keras_model()
    model.fit(x, y, batch_size=32, epochs=3, shuffle=False, verbose=0, callbacks=[keras_callback(0.02, tmp_path / "run")])
    # Every epoch has a batch that cannot be learnt from; the guard goes back as often as it may.
    rollbacks = events(tmp_path / "run", "rollback")
    assert [(event["step"], event["to"], event["scale"]) for event in rollbacks[:1]] == [(5, 0, 0.5)]
    assert all(np.isfinite(value).all() for value in model.get_weights())


def test_keras_finds_a_rate(tmp_path, made, keras_callback):
    x, y = (part.numpy() for part in rows())
    batches = [(x[at : at + 32], y[at : at + 32]) for at in range(0, 256, 32)]
    model = keras_model()
    callback = keras_callback("auto", tmp_path / "run", batches=batches)
    history = model.fit(x, y, batch_size=32, epochs=20, verbose=0, callbacks=[callback]).history
    assert callback.session.found["steps"] > 0
    assert rates(made) == pytest.approx(expected(callback.session.found["schedule"], 160, 8))
    assert history["loss"][-1] < 0.5 and history["accuracy"][0] <= 1
    with pytest.raises(ValueError, match="batches"):
        keras_model().fit(x, y, verbose=0, callbacks=[keras_callback("auto", tmp_path / "other")])


# Accelerate: the session itself.


def test_a_session_over_what_accelerate_has_prepared(tmp_path):
    accelerate = pytest.importorskip("accelerate")
    import downhill.torch

    accelerator = accelerate.Accelerator(cpu=True)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    loader = DataLoader(TensorDataset(*rows()), batch_size=32, shuffle=True)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    run = downhill.torch.Session(model, optimizer, lr="auto", steps=100, run=tmp_path / "run")
    losses = []
    for x, y in run.steps(loader):
        loss = nn.functional.cross_entropy(model(x), y)
        losses.append(float(loss.detach()))
        run.step(loss)
    assert run.stop == "finished" and np.mean(losses[-8:]) < 0.5
