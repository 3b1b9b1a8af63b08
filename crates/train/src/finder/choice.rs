//! What the rehearsals say of the rate.

use downhill_run::Choice;

use super::search::{Conclusion, Lead};

/// The choice that rehearsals around the rate `usual` come to, and the rate.
pub(super) fn choice(conclusion: Conclusion, usual: f64) -> (f64, Choice) {
    let pair = |lead: Lead| [lead.mean, lead.error];
    match conclusion {
        Conclusion::Diverged { rate } => (usual * rate, Choice::AllDiverged),
        Conclusion::NothingLearned => (usual, Choice::NothingLearned),
        Conclusion::Usual { lead } => (usual, Choice::Usual { lead: lead.map(pair) }),
        Conclusion::Better { rate, lead, factors: [between, length, pull] } => {
            let best = usual * rate / (between * length * pull);
            (usual * rate, Choice::Better { best, lead: lead.map(pair), between, length, pull })
        }
    }
}
