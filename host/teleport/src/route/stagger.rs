//! Several ways to the same end, each with a short head start over the next: the first that arrives wins.
//!
//! Must never give up a way only because a later one failed.

use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::Instant;

/// What became of an attempt that did not arrive.
pub(crate) enum Miss<E> {
    /// Others may still arrive.
    GoOn(E),
    /// It tells that none will.
    Stop(E),
}

/// Starts `attempts` in order: each as soon as all before it have failed or had `head` to themselves.
///
/// # Errors
/// What each attempt said, in order; only the last word where one says that none will arrive.
pub(crate) async fn stagger<T, E>(
    attempts: Vec<BoxFuture<'_, Result<T, Miss<E>>>>,
    head: Duration,
) -> Result<T, Vec<E>> {
    let mut waiting = attempts.into_iter().enumerate();
    let mut running = FuturesUnordered::new();
    let mut errors: Vec<(usize, E)> = Vec::new();
    loop {
        if let Some((index, attempt)) = waiting.next() {
            running.push(async move { (index, attempt.await) });
        } else if running.is_empty() {
            errors.sort_by_key(|(index, _)| *index);
            return Err(errors.into_iter().map(|(_, error)| error).collect());
        }
        let next_at = Instant::now() + head;
        loop {
            let ended = if waiting.len() == 0 {
                running.next().await
            } else {
                match tokio::time::timeout_at(next_at, running.next()).await {
                    Ok(ended) => ended,
                    Err(_) => break,
                }
            };
            match ended {
                Some((_, Ok(arrived))) => return Ok(arrived),
                Some((_, Err(Miss::Stop(error)))) => return Err(vec![error]),
                Some((index, Err(Miss::GoOn(error)))) => errors.push((index, error)),
                None => break,
            }
            if running.is_empty() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    type Attempt = BoxFuture<'static, Result<&'static str, Miss<&'static str>>>;

    const HEAD: Duration = Duration::from_millis(100);

    fn after(millis: u64, outcome: Result<&'static str, Miss<&'static str>>) -> Attempt {
        async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            outcome
        }
        .boxed()
    }

    async fn timed(attempts: Vec<Attempt>) -> (Result<&'static str, Vec<&'static str>>, u128) {
        let begun = Instant::now();
        let outcome = stagger(attempts, HEAD).await;
        (outcome, begun.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_wins_if_it_arrives_within_its_head_start() {
        let (outcome, took) = timed(vec![after(90, Ok("first")), after(0, Ok("second"))]).await;
        assert_eq!((outcome, took), (Ok("first"), 90));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_first_may_still_win_and_a_silent_one_is_overtaken() {
        let (outcome, took) = timed(vec![after(150, Ok("first")), after(100, Ok("second"))]).await;
        assert_eq!((outcome, took), (Ok("first"), 150));
        let (outcome, took) = timed(vec![after(60_000, Ok("first")), after(10, Ok("second"))]).await;
        assert_eq!((outcome, took), (Ok("second"), 110));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_starts_the_next_at_once() {
        let (outcome, took) = timed(vec![after(5, Err(Miss::GoOn("no"))), after(5, Ok("second"))]).await;
        assert_eq!((outcome, took), (Ok("second"), 10));
    }

    #[tokio::test(start_paused = true)]
    async fn all_failures_are_told_in_order() {
        let attempts =
            vec![after(300, Err(Miss::GoOn("a"))), after(5, Err(Miss::GoOn("b"))), after(5, Err(Miss::GoOn("c")))];
        assert_eq!(timed(attempts).await.0, Err(vec!["a", "b", "c"]));
        assert_eq!(timed(Vec::new()).await.0, Err(Vec::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_last_word_ends_it() {
        let (outcome, took) = timed(vec![after(5, Err(Miss::Stop("never"))), after(5, Ok("second"))]).await;
        assert_eq!((outcome, took), (Err(vec!["never"]), 5));
    }
}
