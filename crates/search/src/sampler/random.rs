//! Any point, each as likely as any other.

use rand::RngExt;

use super::Draw;
use crate::Domain;

pub(super) fn point<R: RngExt>(domains: &[&Domain], draw: &mut Draw<R>) -> Vec<f64> {
    domains.iter().map(|domain| draw.place(domain)).collect()
}
