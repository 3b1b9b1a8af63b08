//! Flags on top of the settings of a file: one that is given overrides, one that is not leaves things as they
//! are.

use downhill::data::Task;
use downhill::nn::Loss;
use downhill::nn::loss::CrossEntropy;
use downhill::train::{Network, RunConfig, Source, path_text};

use super::network::NetworkArgs;
use super::read::ReadArgs;
use super::setup::SetupArgs;
use super::source::{SourceArgs, TaskName};
use super::training::TrainingArgs;
use crate::Failure;

/// Puts a value in place of another, if it was given.
fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *place = value;
    }
}

impl SetupArgs {
    /// The configuration of a run of one network that the flags and the file they name come to.
    pub fn config(&self) -> Result<RunConfig, Failure> {
        let config = self.config_of_any()?;
        match (&config.ensemble, &self.config) {
            (Some(_), Some(file)) => Err(Failure::Message(format!(
                "{} is the configuration of several networks, which `downhill train` alone takes; leave its table \
                 [ensemble] out",
                file.display()
            ))),
            _ => Ok(config),
        }
    }

    /// The same of a run of one network or of several.
    pub fn config_of_any(&self) -> Result<RunConfig, Failure> {
        if let (Some(images), None) = (&self.source.read.images, &self.source.read.labels) {
            return Err(Failure::Message(format!(
                "the images {} have no labels, so there is nothing to learn; give them with --labels",
                images.display()
            )));
        }
        let mut config = match &self.config {
            Some(path) => RunConfig::read(path)?,
            None => RunConfig::default(),
        };
        self.source.apply(self.data.as_deref(), &mut config.data);
        if let Some(preset) = self.preset {
            preset.apply(&mut config.training);
        }
        self.network.apply(&mut config)?;
        set(&mut config.training.lr, self.rate.lr.clone().map(|rate| rate.0));
        self.training.apply(&mut config)?;
        config.parent = None; // the settings are begun with anew
        config.data = config.data.absolute();
        Ok(config)
    }
}

impl ReadArgs {
    pub fn apply(&self, data: Option<&str>, source: &mut Source) {
        if let Some(data) = data {
            (source.from, source.labels) = (data.to_string(), None);
        }
        if let Some(images) = &self.images {
            (source.from, source.labels) = (path_text::to_text(images), self.labels.clone());
        }
        if self.delimiter.is_some() {
            source.read.delimiter = self.delimiter;
        }
        if self.header.is_some() {
            source.read.header = self.header;
        }
        set(&mut source.read.encoding, self.encoding.clone().map(Some));
        set(&mut source.read.skip, self.skip.map(Some));
        set(&mut source.read.decimal, self.decimal.map(Some));
        set(&mut source.read.dates, self.dates.map(Some));
        if self.no_missing || !self.missing.is_empty() {
            source.read.missing = Some(self.missing.clone());
        }
        source.read.any_size |= self.any_size;
    }
}

impl SourceArgs {
    pub fn apply(&self, data: Option<&str>, source: &mut Source) {
        self.read.apply(data, source);
        if self.target.is_some() {
            source.target.clone_from(&self.target);
        }
        if let Some(task) = self.task {
            source.task = Some(match task {
                TaskName::Classification => Task::Classification,
                TaskName::Regression => Task::Regression,
            });
        }
        set(&mut source.weights, self.weights.clone().map(Some));
        set(&mut source.valid, self.valid.clone().map(Some));
        for (place, given) in [
            (&mut source.read.categorical, &self.categorical),
            (&mut source.read.numeric, &self.numeric),
            (&mut source.read.drop, &self.drop),
        ] {
            if !given.is_empty() {
                place.clone_from(given);
            }
        }
    }
}

impl NetworkArgs {
    pub fn apply(&self, config: &mut RunConfig) -> Result<(), Failure> {
        let Self { hidden, activation, init, batch_norm, dropout, numbers, ensemble } = self;
        let given = hidden.is_some() || activation.is_some() || init.is_some();
        let given = given || batch_norm.is_some() || dropout.is_some();
        if !given && numbers.is_none() && ensemble.is_none() {
            return Ok(());
        }
        let Network::Mlp(mlp) = &mut config.training.network else {
            return Err(Failure::Message(
                "the configuration lists the network's layers: --hidden, --activation, --init, --batch-norm, \
                 --dropout, --numbers and --ensemble do not go with that; change the list"
                    .into(),
            ));
        };
        set(&mut mlp.hidden, hidden.clone().map(|sizes| sizes.0));
        set(&mut mlp.activation, *activation);
        set(&mut mlp.init, *init);
        set(&mut mlp.batch_norm, *batch_norm);
        set(&mut mlp.dropout, *dropout);
        set(&mut mlp.numbers, *numbers);
        // A network that is given is taken as it is given.
        mlp.ensemble = match *ensemble {
            Some(members) => members,
            None if given => mlp.ensemble.or(Some(1)),
            None => mlp.ensemble,
        };
        if ensemble.is_some_and(|members| members.is_some_and(|members| members > 1)) && dropout.is_none() {
            mlp.dropout = 0.0;
        }
        Ok(())
    }
}

impl TrainingArgs {
    pub fn apply(&self, config: &mut RunConfig) -> Result<(), Failure> {
        let training = &mut config.training;
        set(&mut training.optimizer, self.optimizer.clone());
        set(&mut training.momentum, self.momentum.clone().map(Some));
        set(&mut training.plateau, self.plateau);
        set(&mut training.guard, self.guard);
        set(&mut training.track, self.track);
        if !self.group.is_empty() {
            training.groups.clone_from(&self.group);
        }
        set(&mut training.ema, self.ema.map(Some));
        set(&mut training.lookahead, self.lookahead);
        set(&mut training.accumulate, self.accumulate);
        set(&mut training.loss, self.loss.clone().map(Some));
        set(&mut training.epochs, self.epochs);
        set(&mut training.batch, self.batch.map(Some));
        set(&mut training.early_stopping, self.early_stop);
        set(&mut training.keep, self.keep);
        set(&mut training.class_weights, self.class_weights);
        set(&mut training.seed, self.seed);
        // A rule that has a decay of its own is meant to use that.
        match training.optimizer.weight_decay_mut() {
            Some(own) => set(own, self.weight_decay),
            None => set(&mut training.regularization.weight_decay, self.weight_decay),
        }
        let regularization = &mut training.regularization;
        set(&mut regularization.l1, self.l1);
        set(&mut regularization.l2, self.l2);
        set(&mut regularization.clip_norm, self.clip_norm.map(Some));
        set(&mut regularization.clip_value, self.clip_value.map(Some));
        set(&mut regularization.clip_tensor_norm, self.clip_tensor_norm.map(Some));
        set(&mut regularization.max_norm, self.max_norm.map(Some));
        set(&mut regularization.independent_decay, self.independent_decay);
        if let Some(smoothing) = self.label_smoothing {
            match training.loss.get_or_insert_with(|| Loss::CrossEntropy(CrossEntropy::default())) {
                Loss::CrossEntropy(loss) => loss.label_smoothing = smoothing,
                _ => {
                    return Err(Failure::Message(
                        "--label-smoothing goes with the loss cross-entropy".into(),
                    ));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use downhill::data::{DateOrder, Decimal};
    use downhill::nn::Mlp;
    use downhill::train::{ClassWeights, Validation};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        setup: SetupArgs,
    }

    /// Settings of which none is what it would be unless given.
    const FILE: &str = r#"
        [data]
        from = "wine"
        target = "proline"
        task = "regression"
        valid = 0.3
        [data.read]
        delimiter = ";"
        header = true
        encoding = "euc-kr"
        skip = 1
        decimal = "comma"
        dates = "day-first"
        missing = ["x"]
        categorical = ["a"]
        numeric = ["b"]
        drop = ["ash"]
        [training]
        seed = 3
        epochs = 7
        batch = 9
        optimizer = "momentum(0.9)"
        lr = "constant(0.5)"
        momentum = "constant(0.5)"
        plateau = "cut(0.5, patience=5)"
        guard = "off"
        track = "sharpness(10ep)"
        groups = ["role(bias, lr=2)"]
        ema = 0.5
        lookahead = "every(5, alpha=0.5)"
        accumulate = 3
        loss = "cross-entropy(label-smoothing=0.3)"
        class-weights = "balanced"
        early-stopping = "off"
        keep = "last"
        [training.restraints]
        l1 = 0.1
        l2 = 0.2
        weight-decay = 0.3
        independent-decay = 0.4
        max-norm = 5.0
        clip-value = 7.0
        [training.network.mlp]
        hidden = [5]
        activation = "tanh"
        init = "he-normal"
        batch-norm = true
        dropout = 0.5
    "#;

    /// What a file says, and what it comes to with these flags.
    fn merged(file: &str, flags: &[&str]) -> (RunConfig, Result<RunConfig, String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        std::fs::write(&path, file).unwrap();
        let words = ["downhill", "--config", path.to_str().unwrap()];
        let line = Line::try_parse_from(words.iter().chain(flags)).unwrap_or_else(|error| panic!("{error}"));
        let config = line.setup.config().map_err(|failure| match failure {
            Failure::Message(message) => message,
            Failure::Usage(_) | Failure::Interrupted | Failure::PipeClosed => panic!("{flags:?}"),
        });
        let mut file = RunConfig::read(&path).unwrap_or_else(|error| panic!("{error}"));
        file.data = file.data.absolute();
        (file, config)
    }

    #[test]
    fn what_no_flag_is_given_for_is_what_the_file_says() {
        let (file, config) = merged(FILE, &[]);
        assert_eq!(config.unwrap(), file);
    }

    #[test]
    fn a_flag_changes_its_setting_and_no_other() {
        fn mlp(config: &mut RunConfig) -> &mut Mlp {
            match &mut config.training.network {
                Network::Mlp(mlp) => mlp,
                Network::Layers(_) => panic!("the file has no list of layers"),
            }
        }
        fn names(names: &[&str]) -> Vec<String> {
            names.iter().map(|name| name.to_string()).collect()
        }
        type Edit = fn(&mut RunConfig);
        let cases: [(&[&str], Edit); 50] = [
            (&["iris"], |config| config.data.from = "iris".into()),
            (&["--target", "hue"], |config| config.data.target = Some("hue".into())),
            (&["--task", "classification"], |config| config.data.task = Some(Task::Classification)),
            (&["--valid", "10%"], |config| config.data.valid = Some(Validation::Share(0.1))),
            (&["--delimiter", "tab"], |config| config.data.read.delimiter = Some(b'\t')),
            (&["--header", "no"], |config| config.data.read.header = Some(false)),
            (&["--encoding", "utf-16le"], |config| config.data.read.encoding = Some("utf-16le".into())),
            (&["--skip", "0"], |config| config.data.read.skip = Some(0)),
            (&["--decimal", "."], |config| config.data.read.decimal = Some(Decimal::Point)),
            (&["--dates", "month-first"], |config| config.data.read.dates = Some(DateOrder::MonthFirst)),
            (&["--missing", "y,z"], |config| config.data.read.missing = Some(names(&["y", "z"]))),
            (&["--no-missing"], |config| config.data.read.missing = Some(Vec::new())),
            (&["--any-size"], |config| config.data.read.any_size = true),
            (&["--categorical", "c,d"], |config| config.data.read.categorical = names(&["c", "d"])),
            (&["--numeric", "-1"], |config| config.data.read.numeric = names(&["-1"])),
            (&["--drop", "0"], |config| config.data.read.drop = names(&["0"])),
            (&["--hidden", "none"], |config| mlp(config).hidden = Vec::new()),
            (&["--activation", "relu"], |config| mlp(config).activation = "relu".parse().unwrap()),
            (&["--init", "auto"], |config| mlp(config).init = "auto".parse().unwrap()),
            (&["--batch-norm=no"], |config| mlp(config).batch_norm = false),
            (&["--dropout", "0"], |config| mlp(config).dropout = 0.0),
            (&["--numbers", "auto"], |config| mlp(config).numbers = "auto".parse().unwrap()),
            (&["--ensemble", "8"], |config| (mlp(config).ensemble, mlp(config).dropout) = (Some(8), 0.0)),
            (&["--ensemble", "auto"], |config| mlp(config).ensemble = None),
            (&["--lr", "0.25"], |config| config.training.lr = Some("0.25".parse().unwrap())),
            (&["--lr", "auto"], |config| config.training.lr = None),
            (&["--optimizer", "adam"], |config| config.training.optimizer = "adam".parse().unwrap()),
            (&["--momentum", "0.8"], |config| config.training.momentum = Some("0.8".parse().unwrap())),
            (&["--plateau", "off"], |config| config.training.plateau = "off".parse().unwrap()),
            (&["--guard", "on"], |config| config.training.guard = "on".parse().unwrap()),
            (&["--track", "off"], |config| config.training.track = "off".parse().unwrap()),
            (&["--group", "role(bias, lr=3)"], |config| {
                config.training.groups = vec!["role(bias, lr=3)".parse().unwrap()];
            }),
            (&["--ema", "0"], |config| config.training.ema = Some(0.0)),
            (&["--lookahead", "off"], |config| config.training.lookahead = "off".parse().unwrap()),
            (&["--loss", "mae"], |config| config.training.loss = Some("mae".parse().unwrap())),
            (&["--epochs", "8"], |config| config.training.epochs = 8),
            (&["--batch", "10"], |config| config.training.batch = Some(10)),
            (&["--accumulate", "1"], |config| config.training.accumulate = 1),
            (&["--early-stop", "after(4)"], |config| {
                config.training.early_stopping = "after(4)".parse().unwrap();
            }),
            (&["--keep", "best"], |config| config.training.keep = "best".parse().unwrap()),
            (&["--class-weights", "none"], |config| config.training.class_weights = ClassWeights::None),
            (&["--seed", "0"], |config| config.training.seed = 0),
            (&["--l1", "0"], |config| config.training.regularization.l1 = 0.0),
            (&["--l2", "0"], |config| config.training.regularization.l2 = 0.0),
            (&["--weight-decay", "0"], |config| config.training.regularization.weight_decay = 0.0),
            (&["--independent-decay", "0"], |config| config.training.regularization.independent_decay = 0.0),
            (&["--max-norm", "1"], |config| config.training.regularization.max_norm = Some(1.0)),
            (&["--clip-norm", "1"], |config| config.training.regularization.clip_norm = Some(1.0)),
            (&["--clip-value", "1"], |config| config.training.regularization.clip_value = Some(1.0)),
            (&["--label-smoothing", "0"], |config| {
                config.training.loss = Some("cross-entropy".parse().unwrap());
            }),
        ];
        for (flags, edit) in cases {
            let (file, config) = merged(FILE, flags);
            let mut wanted = file.clone();
            edit(&mut wanted);
            assert_ne!(wanted, file, "{flags:?} is what the file says anyway");
            assert_eq!(config, Ok(wanted), "{flags:?}");
        }
    }

    #[test]
    fn a_decay_goes_to_the_rule_that_has_one() {
        let (mut wanted, config) = merged(FILE, &["--optimizer", "adamw", "--weight-decay", "0.125"]);
        wanted.training.optimizer = "adamw(weight-decay=0.125)".parse().unwrap();
        assert_eq!(config, Ok(wanted));
    }

    #[test]
    fn a_preset_gives_way_to_a_flag() {
        let numbers = |flags: &[&str]| match merged(FILE, flags).1.unwrap().training.network {
            Network::Mlp(mlp) => mlp.numbers.to_string(),
            Network::Layers(_) => panic!("the file has no list of layers"),
        };
        assert_eq!(numbers(&["--preset", "fast"]), "plain");
        assert_eq!(numbers(&["--preset", "default"]), "auto");
        let given = ["--numbers", "piecewise-linear(8)", "--preset", "fast"];
        assert_eq!(numbers(&given), "piecewise-linear(bins=8, scale=0.1)");
    }

    #[test]
    fn flags_that_do_not_go_with_the_file_are_told() {
        let list = "[data]\nfrom = \"wine\"\n[training.network]\nlayers = [\"dense(3)\"]\n";
        let of_layers = merged(list, &["--dropout", "0.1"]).1.unwrap_err();
        assert!(of_layers.contains("--dropout"), "{of_layers}");
        assert!(merged(list, &["--epochs", "2"]).1.is_ok());
        let smoothing = merged(FILE, &["--loss", "mse", "--label-smoothing", "0.1"]).1.unwrap_err();
        assert!(smoothing.contains("--label-smoothing"), "{smoothing}");
        let unlabelled = merged(FILE, &["--images", "some.idx"]).1.unwrap_err();
        assert!(unlabelled.contains("--labels"), "{unlabelled}");
    }
}
