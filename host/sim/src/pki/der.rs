//! Just enough DER to give a certificate a subject with several organizations, and to write keys in forms of their own, which the
//! certificate library cannot. It must never be used on bytes from outside.

use rcgen::{PKCS_ECDSA_P256_SHA256, SigningKey};

pub(super) const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_ID: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const CONTEXT_0: u8 = 0xa0;

/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.4.10
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// The certificate again, with the subject `CN=common_name, O=…, O=…`, signed by `signer`. `None` when `certificate` is not a certificate.
pub(super) fn with_subject(
    certificate: &[u8],
    common_name: &str,
    organizations: &[String],
    signer: &impl SigningKey,
) -> Option<Result<Vec<u8>, rcgen::Error>> {
    debug_assert!(signer.algorithm() == &PKCS_ECDSA_P256_SHA256, "all our authorities are P-256");
    let (_, outer, _) = split(certificate)?;
    let (_, to_be_signed, rest) = split(outer)?;
    let algorithm = whole(rest)?;
    let mut fields = Vec::new();
    let mut remaining = to_be_signed;
    while !remaining.is_empty() {
        let field = whole(remaining)?;
        fields.push(field);
        remaining = remaining.get(field.len()..)?;
    }
    let has_version = fields.first().and_then(|field| field.first()) == Some(&CONTEXT_0);
    let subject_at = if has_version { 5 } else { 4 };
    let subject = name(common_name, organizations);
    let mut body = Vec::with_capacity(to_be_signed.len() + subject.len());
    for (index, field) in fields.iter().enumerate() {
        body.extend_from_slice(if index == subject_at { &subject } else { field });
    }
    let to_be_signed = tlv(SEQUENCE, &body);
    Some(signer.sign(&to_be_signed).map(|signature| {
        let mut bits = vec![0];
        bits.extend(signature);
        let mut outer = to_be_signed;
        outer.extend_from_slice(algorithm);
        outer.extend(tlv(BIT_STRING, &bits));
        tlv(SEQUENCE, &outer)
    }))
}

fn name(common_name: &str, organizations: &[String]) -> Vec<u8> {
    let mut body = attribute(COMMON_NAME, common_name);
    for organization in organizations {
        body.extend(attribute(ORGANIZATION, organization));
    }
    tlv(SEQUENCE, &body)
}

fn attribute(kind: &[u8], value: &str) -> Vec<u8> {
    let mut pair = tlv(OBJECT_ID, kind);
    pair.extend(tlv(UTF8_STRING, value.as_bytes()));
    tlv(SET, &tlv(SEQUENCE, &pair))
}

pub(super) fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    if let Some(short) = u8::try_from(body.len()).ok().filter(|length| *length < 0x80) {
        out.push(short);
    } else {
        let bytes = body.len().to_be_bytes();
        let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
        out.push(0x80 | u8::try_from(significant.len()).unwrap_or(0));
        out.extend(significant);
    }
    out.extend_from_slice(body);
    out
}

/// What is inside of a private key in PKCS#8: the algorithm as it stands there, and the key in the algorithm's own form.
pub(super) fn inside_pkcs8(pkcs8: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, body, _) = split(pkcs8)?;
    let (_, _, rest) = split(body)?;
    let algorithm = whole(rest)?;
    let (_, key, _) = split(rest.get(algorithm.len()..)?)?;
    Some((algorithm, key))
}

/// Tag, body, and what follows.
pub(super) fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let (digits, rest) = rest.split_at_checked(count)?;
        (digits.iter().try_fold(0usize, |sum, digit| sum.checked_mul(256)?.checked_add(usize::from(*digit)))?, rest)
    };
    let (body, rest) = rest.split_at_checked(length)?;
    Some((tag, body, rest))
}

/// The first element with its tag and length.
pub(super) fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let (_, _, rest) = split(bytes)?;
    bytes.get(..bytes.len().checked_sub(rest.len())?)
}
