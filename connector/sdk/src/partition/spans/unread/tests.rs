//! What is left of reads that are stopped.
