//! CPU backend, bit-identical to the referee.
