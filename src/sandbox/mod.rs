//! Stand-ins for the outside world, used by the demo and the tests. They import nothing from the product.

pub mod shop;
