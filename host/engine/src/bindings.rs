//! The names that are generated from the contract and from the inert part of WASI; the only place of generated code,
//! and nothing outside of this crate ever sees one of them.

/// The contract, `wit/policy.wit`.
pub(crate) mod policy {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "policy",
        imports: { default: trappable },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

/// What of WASI a policy may import: `host/engine/wit/inert.wit`.
pub(crate) mod inert {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "tribunal:inert/inert",
        imports: { default: trappable },
        with: {
            "wasi:io/error.error": crate::host::wasi::Failed,
            "wasi:io/poll.pollable": crate::host::wasi::Ready,
            "wasi:io/streams.input-stream": crate::host::wasi::Empty,
            "wasi:io/streams.output-stream": crate::host::wasi::Output,
            "wasi:cli/terminal-input.terminal-input": crate::host::wasi::NoTerminal,
            "wasi:cli/terminal-output.terminal-output": crate::host::wasi::NoTerminal,
        },
    });
}
