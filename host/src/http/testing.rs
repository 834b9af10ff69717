//! What the tests of the door share: a server that answers from a script, and doors to it.
