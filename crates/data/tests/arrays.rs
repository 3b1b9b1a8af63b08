//! Examples from arrays of the `ndarray` crate.
#![cfg(feature = "ndarray")]

use downhill_data::{Examples, Targets};
use ndarray::array;

#[test]
fn arrays_become_examples_row_by_row_whatever_their_layout() {
    let x = array![[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let examples = Examples::try_from((x.clone(), array![0_u32, 2])).unwrap();
    assert_eq!((examples.features, examples.row(1)), (3, &[4.0, 5.0, 6.0][..]));
    assert_eq!(examples.y, Targets::Classes { labels: vec![0, 2], classes: 3 });
    let turned = Examples::try_from((x.clone().reversed_axes(), array![0.5_f32, 1.5, 2.5])).unwrap();
    assert_eq!(turned.x, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert!(Examples::try_from((x, array![0.5_f32])).is_err());
}
