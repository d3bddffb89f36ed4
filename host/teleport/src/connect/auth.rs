//! TLS with Auth over a stream: the same on every way there but for the protocols that are offered.
//!
//! Must never believe a server that the identity's CAs do not vouch for, whoever led there.

use std::io;
use std::sync::Arc;

use rustls::AlertDescription;
use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::{ConnectError, Step, in_time};
use crate::address::Address;
use crate::identity::Identity;
use crate::route::{ByteStream, Dial, Route};
use crate::tls::{Distrust, SERVER_NAME, Tls};

/// TLS with Auth over `route`.
///
/// # Errors
/// If there is none; the text says which step failed and what to do.
pub(crate) async fn tls(route: &Route, dial: Dial<'_>) -> Result<TlsStream<ByteStream>, ConnectError> {
    let address = route.address();
    let alpn = route.alpn()?;
    let stream = route.open(dial).await?;
    let tls = Tls::new(dial.identity, alpn).map_err(|error| failed(address, io::Error::other(error)))?;
    let shaking = async {
        let shaken = TlsConnector::from(Arc::new(tls.config.clone())).connect(server_name(), stream).await;
        shaken.map_err(|error| explain(route, error, dial.identity, &tls))
    };
    in_time(dial.reach.deadlines.tls, Step::AuthTls, address, shaking).await
}

fn explain(route: &Route, error: io::Error, identity: &Identity, tls: &Tls) -> ConnectError {
    let address = route.address().clone();
    let Some(cause) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return if is_end(&error) { ended(route, identity, error) } else { failed(&address, error) };
    };
    match (Distrust::of(cause), cause) {
        (Some(Distrust::Issuer), _) => ConnectError::Untrusted {
            address,
            seen: tls.seen(),
            trusted: identity.authorities().to_vec(),
            of_teleport: tls.saw_teleport(),
        },
        (Some(Distrust::Time), _) => {
            ConnectError::WrongTime { address, seen: tls.seen(), of_teleport: tls.saw_teleport() }
        }
        (Some(Distrust::Name), _) => ConnectError::WrongName { address, seen: tls.seen() },
        (None, rustls::Error::AlertReceived(alert)) if is_about_us(*alert) => {
            ConnectError::Refused { address, user: identity.user().to_owned(), cause: cause.clone() }
        }
        (None, _) => failed(&address, error),
    }
}

/// Whether an alert is about our certificate. Others come from servers that did not look at it.
fn is_about_us(alert: AlertDescription) -> bool {
    !matches!(
        alert,
        AlertDescription::NoApplicationProtocol
            | AlertDescription::UnrecognisedName
            | AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InternalError
            | AlertDescription::CloseNotify
            | AlertDescription::UserCanceled
    )
}

fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

/// A proxy says no by hanging up, so that only circumstances tell why.
fn ended(route: &Route, identity: &Identity, error: io::Error) -> ConnectError {
    let (Route::ProxyTls { proxy, cluster }
    | Route::ProxyUpgrade { proxy, cluster }
    | Route::ProxySsh { proxy, cluster, .. }) = route
    else {
        return failed(route.address(), error);
    };
    let ours = identity.authorities();
    let (remedy, alarm) = if ours.contains(cluster) {
        (
            "check that an Auth server of it runs and that the proxy reaches it; the proxy's log says more".to_owned(),
            false,
        )
    } else {
        (format!("the identity file is of cluster `{}`; use the address of its proxy", ours.join("`, `")), true)
    };
    let detail =
        format!("the proxy at `{proxy}` hung up instead of leading to an Auth server of cluster `{cluster}`: {remedy}");
    ConnectError::Obstructed { detail, alarm }
}

fn failed(address: &Address, cause: io::Error) -> ConnectError {
    ConnectError::Tls { address: address.clone(), cause }
}

fn server_name() -> ServerName<'static> {
    #[expect(clippy::expect_used, reason = "a constant, which a test connects with")]
    ServerName::try_from(SERVER_NAME).expect("a constant DNS name")
}
