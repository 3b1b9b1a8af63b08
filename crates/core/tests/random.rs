//! Streams of random numbers.

use downhill_core::random::{self, Purpose};
use rand::RngExt;

#[test]
fn purposes_and_moments_have_streams_of_their_own() {
    let dropout = |layer| Purpose::Dropout { layer };
    let mut drawn: Vec<[u64; 2]> = Vec::new();
    let layers = [0, 1, 2, 3, 4, 5, u32::MAX].map(dropout);
    for purpose in [Purpose::Split, Purpose::Init, Purpose::Shuffle, Purpose::Probe].into_iter().chain(layers)
    {
        for (seed, index) in [(0, 0), (0, 1), (1, 0), (u64::MAX, 0), (0, u64::MAX)] {
            let mut rng = random::stream(seed, purpose, index);
            drawn.push([rng.random(), rng.random()]);
        }
    }
    let all = drawn.len();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn.len(), all);
}
