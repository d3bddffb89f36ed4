//! What authors of policies are told: each mistake with a guest that makes it, and what is to be changed.

#[path = "plugin/guests.rs"]
mod guests;
#[path = "plugin/mistakes.rs"]
mod mistakes;
#[path = "plugin/suites.rs"]
mod suites;
