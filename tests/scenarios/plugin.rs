//! What authors of policies are told: each mistake with a guest that makes it, and what is to be changed.

mod guests;
mod mistakes;
mod settings;
mod suites;
