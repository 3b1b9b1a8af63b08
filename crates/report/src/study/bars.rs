//! How much each setting mattered, as bars.

use std::fmt::Write;

use super::Study;
use crate::escape::escape;
use crate::panel::{FILE_WIDTH, LINE, Place, STYLES, clipped, width};

/// The names of settings have no more of the width than this.
const NAMES: f64 = 0.4;

impl Study {
    /// A bar for each setting, the largest first; none if nothing is known.
    pub(super) fn importance_chart(&self, place: Place) -> Option<String> {
        if self.importance.is_empty() {
            return None;
        }
        let title = self.lang.either("What mattered".into(), "중요했던 설정".into());
        let percent = |share: f64| format!("{:.0}%", 100.0 * share);
        let words: Vec<String> =
            self.importance.iter().map(|(name, share)| format!("{name} {}", percent(*share))).collect();
        let height = LINE * (self.importance.len() as f64 + 1.5);
        let mut svg = place.open(self.lang, (FILE_WIDTH, height), &title, &words.join(", "));
        let _ = writeln!(svg, "<text x=\"2\" y=\"14\">{}</text>", escape(&title));
        let widest = self.importance.iter().map(|(name, _)| width(name)).fold(0.0, f64::max);
        let left = widest.min(NAMES * FILE_WIDTH) + 10.0;
        let room = FILE_WIDTH - left - width("100%") - 8.0;
        let most = self.importance.iter().map(|importance| importance.1).fold(f64::MIN_POSITIVE, f64::max);
        for (place, (name, share)) in self.importance.iter().enumerate() {
            let y = LINE * (place as f64 + 1.5);
            let long = (share / most).clamp(0.0, 1.0) * room;
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
                 <rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{long:.1}\" height=\"{:.1}\" fill=\"{}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                left - 6.0,
                y + 10.0,
                escape(&clipped(name, left - 8.0)),
                y - 1.0,
                LINE - 7.0,
                STYLES[0].0,
                left + long + 6.0,
                y + 10.0,
                percent(*share)
            );
        }
        Some(svg + "</svg>\n")
    }
}
