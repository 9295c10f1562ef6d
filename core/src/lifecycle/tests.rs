//! Every state with every input.
