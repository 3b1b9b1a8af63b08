//! Configurations that older versions wrote, as their checkpoints know them.

use downhill_core::spec;
use downhill_run::RESTORE;
use serde_json::Value;

use crate::{Config, EarlyStopping, Keep};

/// The settings in the form that older versions took the fingerprint of.
pub(crate) fn form(config: &Config) -> Option<String> {
    let mut form = serde_json::to_value(config).ok()?;
    let settings = form.as_object_mut()?;
    settings.shift_remove("keep");
    if config.average().is_none() {
        settings.shift_remove("ema");
    }
    if let EarlyStopping::After(_) = config.early_stopping {
        let text = spec::print(&config.early_stopping);
        let restore = RESTORE[usize::from(config.keep == Keep::Last)];
        let text = text.strip_suffix(')')?.to_owned() + restore + ")";
        settings.insert("early-stopping".into(), Value::String(text));
    }
    serde_json::to_string(&form).ok()
}
