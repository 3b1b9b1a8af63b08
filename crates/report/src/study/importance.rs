//! How much each setting mattered, as bars.

use super::Study;
use crate::bars::{Bar, Bars};
use crate::panel::Place;

impl Study {
    /// A bar for each setting, the largest first; none if nothing is known.
    pub(super) fn importance_chart(&self, place: Place) -> Option<(String, f64)> {
        if self.importance.is_empty() {
            return None;
        }
        let title = self.lang.said("What mattered");
        let label = self.lang.said("What mattered, in percent");
        let bars =
            self.importance.iter().fold(Bars::new(title, label).lang(self.lang), |bars, (name, share)| {
                bars.bar(Bar::new(name, 100.0 * share))
            });
        Some(bars.drawn(place))
    }
}
