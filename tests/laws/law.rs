//! One way to state a law: many generated cases from a seed that is printed when the law is broken. Nothing is written
//! beside the sources.

use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

/// Holds the law against so many cases. `PROPTEST_RNG_SEED` repeats a run.
pub(crate) fn law<S>(cases: u32, strategy: S, holds: impl Fn(S::Value))
where
    S: Strategy,
    S::Value: Debug,
{
    let mut config = Config { cases, failure_persistence: None, max_shrink_iters: 3_000, ..Config::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(getrandom::u64().expect("A machine without chance runs no tests"));
    }
    let RngSeed::Fixed(seed) = config.rng_seed else { unreachable!("The seed was fixed above") };
    let run = TestRunner::new(config).run(&strategy, |case| {
        holds(case);
        Ok::<(), TestCaseError>(())
    });
    if let Err(broken) = run {
        panic!("PROPTEST_RNG_SEED={seed} finds it again: {broken}");
    }
}
