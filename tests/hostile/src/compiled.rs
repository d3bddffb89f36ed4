//! Guests that a compiler made, of sources in `rust/`.

/// A guest that is compiled.
pub(crate) struct Compiled {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) component: &'static [u8],
    /// Its settings, where the corpus says nothing else.
    pub(crate) settings: Option<&'static str>,
}

/// One component, and which of its attacks is meant.
macro_rules! attack {
    ($attack:literal, $about:literal) => {
        Compiled {
            name: concat!("rust-", $attack),
            about: $about,
            component: include_bytes!(concat!(env!("OUT_DIR"), "/tribunal-hostile-rust.wasm")),
            settings: Some(concat!("{\"attack\":\"", $attack, "\"}")),
        }
    };
}

/// All of them.
pub(crate) const COMPILED: &[Compiled] = &[
    Compiled {
        name: "rust-reader",
        about: "Reads files of the host and sends them away.",
        component: include_bytes!(concat!(env!("OUT_DIR"), "/tribunal-hostile-reader.wasm")),
        settings: None,
    },
    attack!("abort", "Aborts the process."),
    attack!("array-on-the-stack", "A megabyte on a stack that has less."),
    attack!("call-of-a-number", "Calls a number as if it were a function."),
    attack!("clock-that-stands", "Waits for a millisecond to pass."),
    attack!("empty-input", "Reads what people type, which must be nothing."),
    attack!("environment", "Looks for variables and arguments, of which there must be none."),
    attack!("exit", "Ends the process, as if all were well."),
    attack!("grounds", "A thousand grounds."),
    attack!("heap-damaged", "Writes over what its own allocator remembers, which harms nobody else."),
    attack!("hoard", "Keeps what it saw, and panics if anything is left of an earlier time."),
    attack!("locked-twice", "Locks what it holds a lock of."),
    attack!("log-without-end", "Lines for the operator, without end."),
    attack!("loop", "Does nothing, for ever."),
    attack!("orders", "Wants requests locked that do not exist."),
    attack!("output-without-end", "Lines on its standard output, without end."),
    attack!("panic-of-megabytes", "Panics with ten megabytes of text."),
    attack!("reason", "A reason of ten megabytes."),
    attack!("recursion", "Calls itself until its stack is used up."),
    attack!("sleep", "Sleeps for an hour, in which no time passes."),
    attack!("thread", "Starts a thread."),
    attack!("vector-of-everything", "One vector of half of all addresses."),
    attack!("vectors-without-end", "Takes memory, and gives nothing back."),
    attack!("wild-write", "Writes where it has no memory."),
];
