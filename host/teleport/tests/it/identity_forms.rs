//! Every kind of key, in every form, in every shape of file that Teleport's tools write: each makes a real connection.

use rcgen::{KeyPair, PKCS_ED25519, SubjectPublicKeyInfo};
use rustls::version::{TLS12, TLS13};
use tribunal_ports::Teleport as _;
use tribunal_sim::{Identity, IdentityKey, IssueOptions, KeyForm, RotationPhase};
use tribunal_teleport::{Client, Limits};

use super::pki::{self, Ca, File};
use super::place::pong;
use super::server::{Manners, Server};
use super::sim::dev;

const KEYS: [(IdentityKey, KeyForm); 7] = [
    (IdentityKey::Rsa2048, KeyForm::Teleport),
    (IdentityKey::Rsa2048, KeyForm::Pkcs8),
    (IdentityKey::EcdsaP256, KeyForm::Teleport),
    (IdentityKey::EcdsaP256, KeyForm::Traditional),
    (IdentityKey::EcdsaP256, KeyForm::Pkcs8),
    (IdentityKey::Ed25519, KeyForm::Teleport),
    (IdentityKey::Ed25519, KeyForm::Pkcs8),
];

/// The text of an identity file, and what else is written beside it.
type Shape = fn(&Identity, &Identity) -> (String, Option<String>);

/// How files are written: of `ours`, and of a leaf cluster whose authorities are told, too.
const SHAPES: [(&str, Shape); 6] = [
    ("tbot's, as all of Teleport's tools write it", |ours, _| (ours.to_text(), None)),
    ("tctl's on a cluster with leaf clusters: authorities of all of them", |ours, leaf| {
        let mut all = ours.clone();
        all.ssh_authorities.extend(leaf.ssh_authorities.clone());
        all.tls_authorities_pem.extend(leaf.tls_authorities_pem.clone());
        (all.to_text(), None)
    }),
    ("the leaf's authorities first", |ours, leaf| {
        let mut all = ours.clone();
        all.ssh_authorities = [leaf.ssh_authorities.clone(), ours.ssh_authorities.clone()].concat();
        all.tls_authorities_pem = [leaf.tls_authorities_pem.clone(), ours.tls_authorities_pem.clone()].concat();
        (all.to_text(), None)
    }),
    ("an older tool's: the SSH certificate in a file beside it", |ours, _| {
        let certificate = ours.ssh_certificate.clone();
        (Identity { ssh_certificate: String::new(), ..ours.clone() }.to_text(), Some(certificate))
    }),
    ("nothing of SSH", |ours, _| {
        let bare = Identity { ssh_certificate: String::new(), ssh_authorities: Vec::new(), ..ours.clone() };
        (bare.to_text(), None)
    }),
    ("passed through an editor on Windows, with lines between", |ours, _| {
        let Identity { private_key_pem, ssh_certificate, tls_certificate_pem, ssh_authorities, tls_authorities_pem } =
            ours;
        let (known, trusted) = (ssh_authorities.join("\n"), tls_authorities_pem.concat());
        let text = format!(
            "# our bot\n\n{known}\n{private_key_pem}\n\n{tls_certificate_pem}  \n{trusted}\n# the end\n{ssh_certificate}\n"
        );
        (text.replace('\n', "\r\n"), None)
    }),
];

#[tokio::test]
async fn every_key_in_every_form_and_every_shape_of_file_connects() {
    let (running, dir, _client) = dev("").await;
    let (leaf, _leaf_dir, _leaf_client) = dev("").await;
    let leaf = leaf.issue(&IssueOptions::of("bot-tribunal")).unwrap();
    let path = dir.path().join("form");
    let beside = dir.path().join("form-cert.pub");
    for (key, form) in KEYS {
        let identity = running.issue(&IssueOptions { key, form, ..IssueOptions::of("bot-tribunal") }).unwrap();
        for (shape, write) in SHAPES {
            let (text, certificate) = write(&identity, &leaf);
            std::fs::write(&path, text).unwrap();
            std::fs::write(&beside, certificate.unwrap_or_default()).unwrap();
            let target = tribunal_teleport::Target {
                address: running.addr().to_string().parse().unwrap(),
                identity_file: path.clone(),
                dial_timeout: std::time::Duration::from_secs(30),
                reach: tribunal_teleport::Reach::default(),
            };
            let said = format!("{key:?}, {form:?}, {shape}");
            let client = Client::new(target, Limits::default()).await.expect(&said);
            assert_eq!(client.identity().user(), "bot-tribunal", "{said}");
            client.list().await.expect(&said);
        }
    }
}

/// Of one kind each, since all are read by the same code: what changes with the version is who signs what.
#[tokio::test]
async fn every_kind_of_key_connects_over_each_version_of_tls() {
    let ca = Ca::new("root");
    let generated = |key: &KeyPair| (key.serialize_pem(), ca.sign(&pki::client("bot-tribunal"), key).pem());
    let stored = |key: &str, public: &str| {
        let public = SubjectPublicKeyInfo::from_pem(public).unwrap();
        (key.to_owned(), ca.sign(&pki::client("bot-tribunal"), &public).pem())
    };
    let identities = [
        stored(include_str!("keys/rsa-pkcs1.pem"), include_str!("keys/rsa.pub.pem")),
        stored(include_str!("keys/ec-sec1.pem"), include_str!("keys/ec.pub.pem")),
        generated(&KeyPair::generate().unwrap()),
        generated(&KeyPair::generate_for(&PKCS_ED25519).unwrap()),
    ];
    for versions in [vec![&TLS12], vec![&TLS13]] {
        let server = Server::with(&ca, Manners { versions, ..Manners::default() }, pong).await;
        for (key, certificate) in &identities {
            let file = File::new(&pki::file(key, certificate, &[&ca]));
            let client = Client::new(file.target(&server.address), Limits::default()).await.unwrap();
            assert_eq!(client.ping().await.unwrap().name, "root");
        }
    }
}

/// A file of each phase carries what is needed to go through the next one.
#[tokio::test]
async fn files_of_every_phase_of_a_rotation_connect() {
    let (running, dir, client) = dev("").await;
    let phases =
        [RotationPhase::Init, RotationPhase::UpdateClients, RotationPhase::UpdateServers, RotationPhase::Standby];
    for phase in phases {
        running.handle().rotate_authorities(phase).unwrap();
        // With the file of the phase before; the first one need not know of the rotation yet.
        running.handle().cut_connections();
        let _broken = client.ping().await;
        client.ping().await.unwrap_or_else(|failure| panic!("{phase}: {failure}"));
        running.issue(&IssueOptions::of("bot-tribunal")).unwrap().write(&dir.path().join("identity")).unwrap();
    }
}
