//! What every daemon shares: chain follower, submitter, keys, state store.
