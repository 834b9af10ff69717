//! How far parents are listed ahead of a slow list, and how many parts a list may have.

use super::*;
use crate::{fixtures, page::PageChain, stream::Absent};

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

/// A list whose parts are numbered from 1.
fn numbered() -> Child {
    Child::new(None, vec![Slice { part: Some("1".to_owned()), ..Slice::default() }]).unwrap()
}

const NEXT: Absent = Absent::EndOfParts(|part| (part.parse::<u32>().unwrap() + 1).to_string());

#[test]
fn ten_thousand_parts_may_follow_one_after_the_other_and_no_more() {
    let mut list = numbered();
    let followed = (0..).find(|_| list.advance(None, NEXT).is_err());
    assert_eq!((followed, list.slice.part.as_deref()), (Some(10_000), Some("10001")));
}

#[test]
fn a_slice_that_is_replaced_is_read_as_the_shorter_ones_in_their_order() {
    let mut list = numbered();
    list.chain.next_page();
    let shorter = ["1a", "1b"].map(|part| Slice { part: Some(part.to_owned()), ..Slice::default() });
    list.replace(shorter.to_vec());
    let mut parts = Vec::new();
    while list.chain.next_page().is_some() {
        parts.extend(list.slice.part.clone());
        list.advance(None, Absent::Gone).unwrap();
    }
    assert_eq!(parts, ["1a", "1b"]);
}
