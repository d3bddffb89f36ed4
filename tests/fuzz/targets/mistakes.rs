//! Mistakes on purpose, so that it is tested that a failure is noticed. It must never be among the targets that are tried.

use super::Target;
use crate::mutate::Form;

pub(crate) const NAME: &str = "mistakes";

pub(super) fn target() -> Target {
    Target {
        name: NAME,
        form: Form::Bytes,
        words: &[],
        input_bytes_max: 16,
        memory: (1024, 0),
        seeds: Vec::new,
        run: Box::new(|case| match case {
            #[expect(clippy::panic, reason = "on purpose")]
            b"panic" => panic!("on purpose"),
            b"memory" => Ok(format!("{}", vec![1_u8; 1024 * 1024].len())),
            b"answer" => Err("on purpose".to_owned()),
            _ => Ok(String::new()),
        }),
    }
}
