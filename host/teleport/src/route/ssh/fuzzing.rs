//! Doors for fuzz tests to what reads the bytes of an SSH server.
//!
//! Must never be used by the product: its links have no keys.

use std::time::SystemTime;

use super::certificate::Certificate;
use super::credentials::{self, Credentials};
use super::failure::Problem;
use super::kex::Trust;
use super::key::{PublicKey, from_der};
use super::link::Link;
use super::packet::Packets;
use super::session;
use super::tunnel::{Patience, Tunnel};
use super::wire::Garbled;
use crate::identity::Identity;
use crate::route::fuzzing::{Peer, drained};

/// What comes of a server's banner and packets up to the agreement on keys.
///
/// # Errors
/// What is said of a server that does not get there.
pub async fn handshake(stream: impl Peer, identity: &Identity) -> Result<(), String> {
    let authorities = credentials::authorities(identity).map_err(|problem| problem.to_string())?;
    let mut link = Link::new(Box::new(stream), Trust { host: "localhost".to_owned(), authorities });
    link.begin().await.map_err(|problem| problem.to_string())
}

/// What comes of a server's packets from there on: authentication, the channel, and how many bytes come through it. The
/// packets are in the clear.
///
/// # Errors
/// What is said of a server that breaks the rules.
pub async fn session(stream: impl Peer, identity: &Identity) -> Result<u64, String> {
    let credentials = Credentials::of(identity).map_err(|problem| problem.to_string())?;
    let mut link = Link::new(Box::new(stream), Trust { host: String::new(), authorities: Vec::new() }).agreed();
    let opened = session::opened(&mut link, &credentials).await.map_err(|problem| problem.to_string())?;
    drained(&mut Tunnel::new(link, opened, Patience::default())).await
}

/// Appends a message as a packet in the clear.
///
/// # Errors
/// If it is too long for one.
pub fn packet(message: &[u8], output: &mut Vec<u8>) -> Result<(), String> {
    Packets::default().put(message, output).map_err(|problem| problem.to_string())
}

/// That a host would be believed that shows this certificate.
///
/// # Errors
/// What is said of one that would not.
pub fn certificate(blob: &[u8], host: &str, authorities: &[Vec<u8>], now: SystemTime) -> Result<(), String> {
    // Keys and signatures have the same origin.
    let _key = PublicKey::parse(blob);
    let _numbers = from_der(blob);
    let certificate = Certificate::parse(blob).map_err(|Garbled| "garbled".to_owned())?;
    let verified = certificate.verify_host(host, authorities, now);
    verified.map_err(|distrust| Problem::distrust(distrust, host, &certificate).to_string())
}

/// What an identity file has for SSH: how many authorities.
///
/// # Errors
/// What is said of one that has nothing of use.
pub fn identity(identity: &Identity) -> Result<usize, String> {
    let credentials = Credentials::of(identity).map_err(|problem| problem.to_string())?;
    let _request = credentials.request(b"session").map_err(|problem| problem.to_string())?;
    let authorities = credentials::authorities(identity).map_err(|problem| problem.to_string())?;
    Ok(authorities.len())
}
