//! Model builders, autograd and optimisers that emit programs; data loading.
