//! `wasi:io`: an input that is at its end, outputs that are kept, things to wait for that are always ready. Handles are
//! plain numbers: there is no table of them to fill.
#![expect(unreachable_pub, reason = "the generated bindings re-export the types behind handles")]

use wasmtime::Result;
use wasmtime::component::Resource;

use super::Wasi;
use crate::bindings::inert::wasi::io::streams::StreamError;
use crate::bindings::inert::wasi::io::{error, poll, streams};
use crate::host::Stop;

/// What one write may hold, in bytes.
const WRITE_BYTES_MAX: u64 = 64 * 1024;
/// The number behind standard error's handles; that of standard output's is another.
const STDERR: u32 = 2;

/// A failed operation of a stream; none ever fails.
pub struct Failed;
/// Something to wait for; it is ready.
pub struct Ready;
/// Standard input; it is at its end.
pub struct Empty;
/// Standard output or standard error.
pub struct Output;
/// A terminal; there is none.
pub struct NoTerminal;

impl Empty {
    pub(super) fn handle() -> Resource<Self> {
        Resource::new_own(0)
    }
}

impl Output {
    pub(super) fn stdout() -> Resource<Self> {
        Resource::new_own(1)
    }

    pub(super) fn stderr() -> Resource<Self> {
        Resource::new_own(STDERR)
    }
}

impl Wasi {
    /// Something to wait for.
    pub(super) fn ready(&mut self) -> Result<Resource<Ready>> {
        self.give()?;
        Ok(Resource::new_own(0))
    }

    fn keep(&mut self, output: &Resource<Output>, bytes: &[u8]) {
        let tail = if output.rep() == STDERR { &mut self.stderr } else { &mut self.stdout };
        tail.write(bytes);
    }

    /// Zeros for [`Wasi::keep`]: a bounded number of them, however many a guest asks for.
    fn keep_zeroes(&mut self, output: &Resource<Output>, len: u64) {
        let len = usize::try_from(len.min(WRITE_BYTES_MAX)).unwrap_or_default();
        self.keep(output, &vec![0; len]);
    }
}

impl error::Host for Wasi {}
impl poll::Host for Wasi {
    fn poll(&mut self, waiting: Vec<Resource<Ready>>) -> Result<Vec<u32>> {
        if waiting.is_empty() {
            return Err(wasmtime::Error::new(Stop::Misuse("polled for nothing")));
        }
        Ok((0_u32..).zip(&waiting).map(|(index, _)| index).collect())
    }
}
impl streams::Host for Wasi {}

impl error::HostError for Wasi {
    fn to_debug_string(&mut self, _error: Resource<Failed>) -> Result<String> {
        Ok(String::new())
    }

    fn drop(&mut self, _error: Resource<Failed>) -> Result<()> {
        Ok(())
    }
}

impl poll::HostPollable for Wasi {
    fn ready(&mut self, _pollable: Resource<Ready>) -> Result<bool> {
        Ok(true)
    }

    fn block(&mut self, _pollable: Resource<Ready>) -> Result<()> {
        Ok(())
    }

    fn drop(&mut self, _pollable: Resource<Ready>) -> Result<()> {
        self.take_back();
        Ok(())
    }
}

impl streams::HostInputStream for Wasi {
    fn read(&mut self, _input: Resource<Empty>, _len: u64) -> Result<core::result::Result<Vec<u8>, StreamError>> {
        Ok(Err(StreamError::Closed))
    }

    fn blocking_read(
        &mut self,
        _input: Resource<Empty>,
        _len: u64,
    ) -> Result<core::result::Result<Vec<u8>, StreamError>> {
        Ok(Err(StreamError::Closed))
    }

    fn skip(&mut self, _input: Resource<Empty>, _len: u64) -> Result<core::result::Result<u64, StreamError>> {
        Ok(Err(StreamError::Closed))
    }

    fn blocking_skip(&mut self, _input: Resource<Empty>, _len: u64) -> Result<core::result::Result<u64, StreamError>> {
        Ok(Err(StreamError::Closed))
    }

    fn subscribe(&mut self, _input: Resource<Empty>) -> Result<Resource<Ready>> {
        self.ready()
    }

    fn drop(&mut self, _input: Resource<Empty>) -> Result<()> {
        self.take_back();
        Ok(())
    }
}

impl streams::HostOutputStream for Wasi {
    fn check_write(&mut self, _output: Resource<Output>) -> Result<core::result::Result<u64, StreamError>> {
        Ok(Ok(WRITE_BYTES_MAX))
    }

    fn write(&mut self, output: Resource<Output>, contents: Vec<u8>) -> Result<core::result::Result<(), StreamError>> {
        self.keep(&output, &contents);
        Ok(Ok(()))
    }

    fn blocking_write_and_flush(
        &mut self,
        output: Resource<Output>,
        contents: Vec<u8>,
    ) -> Result<core::result::Result<(), StreamError>> {
        self.keep(&output, &contents);
        Ok(Ok(()))
    }

    fn flush(&mut self, _output: Resource<Output>) -> Result<core::result::Result<(), StreamError>> {
        Ok(Ok(()))
    }

    fn blocking_flush(&mut self, _output: Resource<Output>) -> Result<core::result::Result<(), StreamError>> {
        Ok(Ok(()))
    }

    fn subscribe(&mut self, _output: Resource<Output>) -> Result<Resource<Ready>> {
        self.ready()
    }

    fn write_zeroes(&mut self, output: Resource<Output>, len: u64) -> Result<core::result::Result<(), StreamError>> {
        self.keep_zeroes(&output, len);
        Ok(Ok(()))
    }

    fn blocking_write_zeroes_and_flush(
        &mut self,
        output: Resource<Output>,
        len: u64,
    ) -> Result<core::result::Result<(), StreamError>> {
        self.keep_zeroes(&output, len);
        Ok(Ok(()))
    }

    fn splice(
        &mut self,
        _output: Resource<Output>,
        _from: Resource<Empty>,
        _len: u64,
    ) -> Result<core::result::Result<u64, StreamError>> {
        Ok(Err(StreamError::Closed))
    }

    fn blocking_splice(
        &mut self,
        _output: Resource<Output>,
        _from: Resource<Empty>,
        _len: u64,
    ) -> Result<core::result::Result<u64, StreamError>> {
        Ok(Err(StreamError::Closed))
    }

    fn drop(&mut self, _output: Resource<Output>) -> Result<()> {
        self.take_back();
        Ok(())
    }
}
