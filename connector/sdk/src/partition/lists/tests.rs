//! How far parents are listed ahead of a slow list.

use super::*;
use crate::{fixtures, page::PageChain};

static THINGS: Stream<()> =
    Stream { name: "things", partition: Partition::Parents(fixtures::PARENTS), ..fixtures::OWNERS };

/// A list that is slow, and so many behind it that have been read.
fn behind_a_slow_one(read: usize) -> Lists<()> {
    let mut lists = Lists::new(&THINGS, THINGS.parents().unwrap(), &(), 0, None);
    let list = || Child::new(None, vec![Slice::default()]).unwrap();
    let mut slow = list();
    slow.chain.next_page();
    lists.children.push_back(slow);
    lists.children.extend((0..read).map(|_| {
        let mut read = list();
        read.chain = PageChain::finished();
        read
    }));
    lists
}

#[test]
fn no_further_parents_are_listed_while_ten_thousand_are_queued_behind_a_slow_one() {
    assert!(behind_a_slow_one(9_998).next_request().is_some_and(|request| request.level == 1));
    assert!(behind_a_slow_one(9_999).next_request().is_none());
}
