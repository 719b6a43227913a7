//! From a document that is wanted to the one operation that brings it nearer, whatever is known of it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Case, Decision};
use crate::domain::document::{Document, State};
use crate::domain::draft::Draft;
use crate::domain::operation::{Change, Operation};
use crate::domain::reason::Hold;
use crate::domain::refund::Class;
use crate::domain::ruling::Ruling;

impl Case<'_> {
    pub(super) fn create(
        &self,
        known: Option<&Document>,
        parent: Option<i64>,
        source_key: String,
        draft: Draft,
        classes: BTreeMap<i64, Class>,
        source_at: Timestamp,
    ) -> Decision {
        let operation = match known {
            Some(document) => match document.state {
                State::Planned if document.may_have_left(self.ledger.look_first_before) => {
                    Operation::Record { changes: vec![Change::Recover { document: document.id }] }
                }
                State::Planned => Operation::Create { document: Some(document.id), parent, source_key, draft, classes },
                State::Refused if document.wanted == draft.fingerprint() => {
                    let reference = document.content.header().reference.clone();
                    match (document.shortages(), document.refusal.clone()) {
                        (Some((_, again_at)), _) if again_at <= self.now => self.want_again(document),
                        (Some((shortages, _)), _) => {
                            let shortages = shortages.to_vec();
                            return Decision::Hold(vec![Hold::NotEnoughStock { reference, shortages }]);
                        }
                        (None, Some(refusal)) => return Decision::Hold(vec![Hold::Refused { reference, refusal }]),
                        (None, None) => return Decision::Settled,
                    }
                }
                State::Refused | State::Dropped => self.want_again(document),
                State::Sending
                | State::InDoubt
                | State::Posted
                | State::Replacing
                | State::ReplaceInDoubt
                | State::Locked
                | State::Gone
                | State::Reversed => return Decision::Settled,
            },
            None => {
                let look = self.look_first(parent, source_key.clone(), draft.clone(), classes.clone(), source_at);
                if let Some(look) = look {
                    return look;
                }
                Operation::Create { document: None, parent, source_key, draft, classes }
            }
        };
        Decision::Act(vec![operation])
    }

    fn want_again(&self, document: &Document) -> Operation {
        Operation::Record { changes: vec![self.ledger.want(document)] }
    }

    /// A document that is not wanted any more, and of which nobody was asked as far as this database knows.
    pub(super) fn give_up(&self, document: &Document) -> Decision {
        Decision::Act(vec![Operation::Record { changes: vec![self.ledger.drop(document)] }])
    }

    /// A document that is looked for before it is sent: another life of the database may have made it for a source that
    /// it may have known, or whoever booked old orders before.
    pub(super) fn look_first(
        &self,
        parent: Option<i64>,
        source_key: String,
        draft: Draft,
        classes: BTreeMap<i64, Class>,
        source_at: Timestamp,
    ) -> Option<Decision> {
        let before = self.ledger.look_first_before.filter(|before| source_at < *before);
        let settled = before.map(|before| self.now.max(before + self.ledger.policy.settling));
        let is_imported = self.ledger.documents.is_empty() && self.ledger.is_ruled(Ruling::Import);
        let look_at = settled.or(is_imported.then_some(self.now))?;
        let draft = Box::new(draft);
        let change = Change::LookFirst { parent, source_key, draft, look_at, classes };
        Some(Decision::Act(vec![Operation::Record { changes: vec![change] }]))
    }
}
