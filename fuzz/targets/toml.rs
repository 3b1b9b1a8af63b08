//! A run's configuration.

use downhill::train::RunConfig;

pub fn run(bytes: &[u8]) {
    if let Err(error) = RunConfig::read(&super::file("run.toml", bytes)) {
        assert!(error.to_string().chars().count() < 4000);
    }
}
