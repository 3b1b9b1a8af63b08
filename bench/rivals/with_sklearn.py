"""scikit-learn's MLPClassifier; a sweep in as many processes as there are threads."""

import warnings

import joblib
import sklearn
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from protocol import Unable, serve

# Single precision stays single; the L2 penalty is scikit-learn's own, and off; no stop before the last epoch.
SETTINGS = {"solver": "adam", "alpha": 0.0, "tol": 0.0, "n_iter_no_change": 10**6}


def trained(work, model):
    return model.fit(work.x, work.y)


def no_update(work, threads):
    raise Unable("it has no AdamW")


class Rival:
    version = sklearn.__version__

    def __init__(self, work, threads):
        if work.batch_norm or work.dropout or work.regression:
            raise Unable("it has no batch normalisation, dropout or AdamW")
        self.work = work
        self.parallel = joblib.Parallel(n_jobs=threads)

    def fresh(self, seed):
        rates = self.work.rates or [self.work.lr]
        settings = SETTINGS | {"hidden_layer_sizes": self.work.hidden, "batch_size": self.work.batch}
        settings["max_iter"] = self.work.epochs
        self.models = [MLPClassifier(**settings, learning_rate_init=lr, random_state=seed) for lr in rates]

    def train(self):
        if self.work.rates:
            self.models = self.parallel(joblib.delayed(trained)(self.work, model) for model in self.models)
        else:
            trained(self.work, self.models[0])

    def loss(self):
        x, y = self.work.x[self.work.measured], self.work.y[self.work.measured]
        losses = [log_loss(y, model.predict_proba(x), labels=range(self.work.outputs)) for model in self.models]
        return losses if self.work.rates else losses[0]

    def predict(self, x):
        return self.models[0].predict_proba(x)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    serve(Rival, no_update)
