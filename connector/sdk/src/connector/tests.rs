//! Whole reads of a scripted server, one per value of each column of the table.
