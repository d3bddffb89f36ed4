//! Between the core's types and those of the contract: cases go out, answers come in and are checked at the door. Nothing
//! that a policy says gets past here unchecked, and nothing here judges what an answer means.

pub(crate) mod answer;
pub(crate) mod case;
