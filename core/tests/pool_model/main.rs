//! The pool machine against a plain statement of its rules: random operations, the same answers and events.

mod rules;

use callboard_core::Random;

use rules::Both;

#[test]
fn random_operations_give_the_answers_of_the_plain_rules() {
    for seed in 0..400 {
        let mut random = Random::from_seed(seed);
        let choose = &mut |bound: usize| usize::try_from(random.below(bound as u64)).unwrap();
        let mut both = Both::new(choose);
        for turn in 0..400 {
            both.step(choose);
            both.compare(&format!("seed {seed}, turn {turn}"));
        }
    }
}
