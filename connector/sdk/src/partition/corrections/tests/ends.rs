//! What an end date leaves out.

use super::*;

#[test]
fn what_an_end_leaves_out_again_is_remembered_as_it_was() {
    let records = || vec![correction("a", "done", 5..9, "null"), correction("b", "done", 5..9, "null")];
    let memory = read("2024-03-01T00:00:00Z", Memory::default(), records()).remember(true);
    let end = Some(instant("2024-01-07T00:00:00Z"));
    let mut corrected = Corrected::new(&ROW, instant("2024-03-01T00:00:00Z"), end, memory.clone());
    corrected.next_request();
    corrected.observe(Page { records: records(), ..Page::default() }).unwrap();
    assert_eq!(corrected.remember(true), memory);
}

#[test]
fn an_end_at_the_cursor_leaves_out_nothing_that_is_not_read_anyway() {
    let end = instant("2024-01-07T00:00:00Z");
    let memory = Memory { corrections: Some(Vec::new()), ..Memory::default() };
    let mut corrected = Corrected::new(&ROW, end, Some(end), memory);
    corrected.next_request();
    let records = vec![correction("a", "done", 5..9, "null")];
    corrected.observe(Page { records, ..Page::default() }).unwrap();
    assert_eq!(corrected.remember(true).corrections.map(|known| known.len()), Some(1));
}
