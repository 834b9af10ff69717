//! Creates the slices of a stream, as its row says.

use std::rc::Rc;

use time::Timestamp;

use super::{Slices, changing::Changing, parents::ByParent, spans::Spans};
use crate::{
    cursor::TimeRange,
    state::State,
    stream::{Partition, Stream},
};

/// Creates the slices of a read that is opened at `opened` and continues from `state`.
pub fn open<C>(
    stream: &'static Stream<C>,
    config: Rc<C>,
    range: TimeRange,
    state: State,
    opened: Timestamp,
) -> Box<dyn Slices<C>> {
    match &stream.partition {
        Partition::Parents(parents) => Box::new(ByParent::new(stream, parents, config, range, state, opened)),
        Partition::Windows if is_changing(stream, &config) => {
            Box::new(Changing::new(stream, &config, &range, state, opened))
        }
        Partition::Whole | Partition::Windows | Partition::Ranges(_) => {
            let spans = Spans::new(stream, &config, &range, state.cursor, opened);
            Box::new(spans.resume(state.unread))
        }
    }
}

/// Returns whether a read looks at what changed below the cursor.
fn is_changing<C>(stream: &Stream<C>, config: &C) -> bool {
    stream.open.is_some_and(|open| (open.at_most)(config).is_some())
        || stream.feed.is_some_and(|feed| (feed.is_wanted)(config))
        || (stream.sweep)(config).is_some()
}
