//! Every combination of a few places along each domain.

use crate::space::ABSENT;
use crate::{Domain, Space};

/// More points than these are nobody's plan.
pub(super) const MOST: u64 = 1_000_000;

/// How many places a continuous domain has: both ends and the middle.
const PLACES: usize = 3;

/// More whole numbers than these are taken as continuous.
const MOST_WHOLE: usize = 10;

/// The number of points, if it can be counted.
pub(super) fn size(domains: &[&Domain]) -> Option<u64> {
    domains.iter().try_fold(1u64, |size, domain| size.checked_mul(places(domain).len() as u64))
}

/// The point with a number; the last setting changes first. None after the last point.
pub(super) fn point(domains: &[&Domain], number: u64) -> Option<Vec<f64>> {
    let mut rest = number;
    let mut point: Vec<f64> = Vec::with_capacity(domains.len());
    for domain in domains.iter().rev() {
        let places = places(domain);
        point.push(places[(rest % places.len() as u64) as usize]);
        rest /= places.len() as u64;
    }
    point.reverse();
    (rest == 0).then_some(point)
}

/// The point with a number among those that differ in settings that are there: where one is not, its other
/// places would be the same point again.
pub(super) fn point_of(space: &Space, number: u64) -> Option<Vec<f64>> {
    let domains = space.domains();
    let differs = |point: &Vec<f64>| {
        let mut masked = point.clone();
        space.mask(&mut masked);
        let first = domains.iter().map(|domain| places(domain)[0]);
        masked.iter().zip(point).zip(first).all(|((masked, at), first)| *masked != ABSENT || *at == first)
    };
    let points = (0..).map_while(|number| point(&domains, number));
    points.filter(differs).nth(usize::try_from(number).ok()?)
}

fn places(domain: &Domain) -> Vec<f64> {
    let all = |count: usize, last: f64| (0..count).map(|at| last * at as f64 / (count - 1) as f64).collect();
    match domain {
        Domain::Choice(words) => (0..words.len()).map(|at| at as f64).collect(),
        Domain::Int { .. } => match domain.options().filter(|&options| options <= MOST_WHOLE) {
            Some(options) => (0..options).map(|at| (at as f64 + 0.5) / options as f64).collect(),
            None => all(PLACES, 1.0),
        },
        Domain::Log { .. } | Domain::Times { .. } | Domain::Uniform { .. } => all(PLACES, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_are_not_there_make_no_points() {
        let space = Space::new().with("x", "int(1, 3) if kind=a").unwrap();
        let space = space.with("kind", "choice(a, b)").unwrap();
        let all: Vec<String> =
            (0..4).map(|number| space.settings(&point_of(&space, number).unwrap()).to_string()).collect();
        assert_eq!(all, ["x 1, kind a", "kind b", "x 2, kind a", "x 3, kind a"]);
        assert_eq!(point_of(&space, 4), None);
    }

    #[test]
    fn every_combination_comes_once() {
        let domains: Vec<Domain> =
            ["log(1e-4, 1)", "int(1, 4)", "choice(a, b)"].iter().map(|text| text.parse().unwrap()).collect();
        let domains: Vec<&Domain> = domains.iter().collect();
        assert_eq!(size(&domains), Some(24));
        let all: Vec<String> = (0..24)
            .map(|number| {
                let point = point(&domains, number).unwrap();
                let value = |(domain, &at): (&&Domain, &f64)| domain.value(at).to_string();
                domains.iter().zip(&point).map(value).collect::<Vec<_>>().join(" ")
            })
            .collect();
        assert_eq!(all[..3], ["0.0001 1 a", "0.0001 1 b", "0.0001 2 a"]);
        assert_eq!(all[23], "1 4 b");
        assert!((0..24).all(|at| !all[..at].contains(&all[at])));
        assert_eq!(point(&domains, 24), None);
    }
}
