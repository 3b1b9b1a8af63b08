//! One program for all tests of this crate but that of allocations: the loops of all operations and vector
//! widths are compiled once, not once for each file.

mod calibrate;
mod confidence;
mod derivatives;
mod description;
mod golden;
mod gradients;
mod graph;
mod hessian;
mod learning;
mod own_loss;
mod sharding;
mod statistics;
mod trace;
mod weights;
