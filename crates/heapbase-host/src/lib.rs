//! Runs Polkadot SDK runtimes.
