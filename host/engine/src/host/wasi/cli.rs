//! `wasi:cli`: a program without arguments, environment, directory or terminal. Nothing here ends the host.

use wasmtime::Result;
use wasmtime::component::Resource;

use super::{Empty, NoTerminal, Output, Wasi};
use crate::bindings::inert::wasi::cli::{
    environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr, terminal_stdin,
    terminal_stdout,
};
use crate::host::Stop;

impl environment::Host for Wasi {
    fn get_environment(&mut self) -> Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }

    fn get_arguments(&mut self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn initial_cwd(&mut self) -> Result<Option<String>> {
        Ok(None)
    }
}

impl exit::Host for Wasi {
    fn exit(&mut self, _status: core::result::Result<(), ()>) -> Result<()> {
        Err(wasmtime::Error::new(Stop::Exit))
    }

    fn exit_with_code(&mut self, _status_code: u8) -> Result<()> {
        Err(wasmtime::Error::new(Stop::Exit))
    }
}

impl stdin::Host for Wasi {
    fn get_stdin(&mut self) -> Result<Resource<Empty>> {
        self.give()?;
        Ok(Empty::handle())
    }
}

impl stdout::Host for Wasi {
    fn get_stdout(&mut self) -> Result<Resource<Output>> {
        self.give()?;
        Ok(Output::stdout())
    }
}

impl stderr::Host for Wasi {
    fn get_stderr(&mut self) -> Result<Resource<Output>> {
        self.give()?;
        Ok(Output::stderr())
    }
}

impl terminal_input::Host for Wasi {}
impl terminal_output::Host for Wasi {}

impl terminal_input::HostTerminalInput for Wasi {
    fn drop(&mut self, _terminal: Resource<NoTerminal>) -> Result<()> {
        Ok(())
    }
}

impl terminal_output::HostTerminalOutput for Wasi {
    fn drop(&mut self, _terminal: Resource<NoTerminal>) -> Result<()> {
        Ok(())
    }
}

impl terminal_stdin::Host for Wasi {
    fn get_terminal_stdin(&mut self) -> Result<Option<Resource<NoTerminal>>> {
        Ok(None)
    }
}

impl terminal_stdout::Host for Wasi {
    fn get_terminal_stdout(&mut self) -> Result<Option<Resource<NoTerminal>>> {
        Ok(None)
    }
}

impl terminal_stderr::Host for Wasi {
    fn get_terminal_stderr(&mut self) -> Result<Option<Resource<NoTerminal>>> {
        Ok(None)
    }
}
