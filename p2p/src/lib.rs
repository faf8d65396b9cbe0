//! Data plane: BLAKE3-verified blobs between peers.
