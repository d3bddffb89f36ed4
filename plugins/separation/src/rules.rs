//! The ids of the rules, and their summaries.
//! It must never hold a rule that no answer names.

/// The request complies.
pub const CLASSES_SEPARATE: &str = "classes-separate";
/// The request alone belongs to two classes.
pub const REQUEST_MIXES_CLASSES: &str = "request-mixes-classes";
/// The request conflicts with a role that the user has without any request.
pub const CONFLICTS_WITH_STANDING: &str = "conflicts-with-standing";
/// The request conflicts with a held one, which does not give way.
pub const CONFLICTS_WITH_HELD: &str = "conflicts-with-held";
/// The request conflicts with access that must not be locked: exempt, or promoted to an access list.
pub const CONFLICTS_WITH_EXEMPT: &str = "conflicts-with-exempt";
/// Classes are recognised by labels, and the labels of a resource could not be read.
pub const LABELS_UNKNOWN: &str = "labels-unknown";
/// A held request alone belongs to two classes.
pub const HELD_MIXES_CLASSES: &str = "held-mixes-classes";
/// A held request conflicts with another one, and this one gives way.
pub const HELD_CONFLICT: &str = "held-conflict";

/// Every rule with its summary, in the order in which grounds are listed.
pub(crate) const ALL: [(&str, &str); 8] = [
    (REQUEST_MIXES_CLASSES, "the request alone belongs to two classes"),
    (CONFLICTS_WITH_STANDING, "the access conflicts with a standing role, which no lock can end"),
    (CONFLICTS_WITH_HELD, "the request conflicts with a held one that does not give way"),
    (CONFLICTS_WITH_EXEMPT, "the request conflicts with access that must not be locked"),
    (LABELS_UNKNOWN, "the labels of a resource could not be read, so its class is not known"),
    (HELD_MIXES_CLASSES, "a held request alone belongs to two classes"),
    (HELD_CONFLICT, "a held request conflicts with another one and gives way"),
    (CLASSES_SEPARATE, "the request conflicts with nothing that stays"),
];
