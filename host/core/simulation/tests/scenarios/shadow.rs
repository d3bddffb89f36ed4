//! Scenarios of policies in shadow mode: they are asked, and what they say is on record; nothing else comes of it.

use super::Scene;
use crate::simulation::driver::Driver;
use crate::simulation::policies::Policy;

use tribunal_core::controller::HumanApproved;

fn of(panel: Vec<Policy>) -> Scene {
    Scene::of(Driver::new(panel, HumanApproved::Exempt))
}

#[test]
fn what_a_policy_in_shadow_mode_would_lock_is_told_once() {
    let mut scene = of(vec![Policy::Separation, Policy::Cap, Policy::Shadow]);
    scene.ask_and_settle("r1", "hoarder", "node", &["n1"]);
    scene.ask_and_settle("r2", "hoarder", "node", &["n2"]);
    scene.wait(120);
    scene.ask_and_settle("r3", "hoarder", "node", &["n3"]);
    scene.ends_as("shadow");
}

#[test]
fn a_policy_in_shadow_mode_changes_nothing_that_is_done() {
    let asks: [(&str, &str, &str, &[&str]); 8] = [
        ("r1", "hoarder", "node", &["n1"]),
        ("r2", "hoarder", "node", &["n2"]),
        ("s1", "switcher", "prod", &["n1"]),
        ("r3", "hoarder", "node", &["n3"]),
        ("s2", "switcher", "research", &["n2"]),
        ("r4", "hoarder", "node", &["n4"]),
        ("b1", "bulk", "node", &["n1", "n2", "n3", "n4"]),
        ("s3", "switcher", "prod", &["n3"]),
    ];
    let plain = vec![Policy::Separation, Policy::Cap];
    let mut first = of(plain.clone());
    // Wherever it stands in the panel: nobody sees what it would lock.
    let mut shadowed: Vec<Scene> = (0..=plain.len())
        .map(|place| {
            let mut panel = plain.clone();
            panel.insert(place, Policy::Shadow);
            of(panel)
        })
        .collect();
    for (id, user, role, nodes) in asks {
        for scene in shadowed.iter_mut().chain([&mut first]) {
            scene.ask_and_settle(id, user, role, nodes);
            scene.wait(1);
        }
        let stands = |scene: &Scene| -> Vec<String> {
            let world = &scene.driver.world;
            world.requests().map(|it| format!("{} {} {}", it.id, it.state, world.is_locked(it))).collect()
        };
        for scene in &shadowed {
            assert_eq!(stands(scene), stands(&first), "after {id}");
        }
    }
}
