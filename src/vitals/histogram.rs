//! How often something took how long, in a few steps.
//!
//! Labels are words of this program, so there are as many series as combinations that the code knows, however much happens.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::SignedDuration;

/// Durations by so many labels.
pub struct Histogram<const LABELS: usize> {
    /// What the labels are called.
    pub names: [&'static str; LABELS],
    /// The upper ends of the steps, rising.
    pub bounds_ms: &'static [u64],
    series: Mutex<BTreeMap<[&'static str; LABELS], Series>>,
}

/// The durations of one combination of labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    /// One per step, and one for whatever took longer than all of them.
    pub counts: Vec<u64>,
    pub sum_ms: u64,
}

impl Series {
    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl<const LABELS: usize> Histogram<LABELS> {
    /// Without any durations.
    #[must_use]
    pub fn new(names: [&'static str; LABELS], bounds_ms: &'static [u64]) -> Self {
        Self { names, bounds_ms, series: Mutex::default() }
    }

    /// One more; what took less than no time took none.
    pub fn note(&self, labels: [&'static str; LABELS], took: SignedDuration) {
        let took_ms = u64::try_from(took.as_millis()).unwrap_or_default();
        let step = self.bounds_ms.partition_point(|bound| *bound < took_ms);
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let series = all
            .entry(labels)
            .or_insert_with(|| Series { counts: vec![0; self.bounds_ms.len() + 1], ..Series::default() });
        series.counts[step] += 1;
        series.sum_ms = series.sum_ms.saturating_add(took_ms);
    }

    /// All of them, by their labels.
    #[must_use]
    pub fn read(&self) -> BTreeMap<[&'static str; LABELS], Series> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
