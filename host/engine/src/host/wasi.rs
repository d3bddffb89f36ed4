//! x
pub(crate) struct Failed;
pub(crate) struct Ready;
pub(crate) struct Empty;
pub(crate) struct Output;
pub(crate) struct NoTerminal;
