//! What makes two environments differ, by what the file says of them.

use super::portrait::{Group, Portrait};

/// Something of which two environments say different things, or only one says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) group: Group,
    pub(crate) name: String,
    pub(crate) values: [Option<String>; 2],
}

/// In what two environments differ, by group and name.
pub(crate) fn differences(first: &Portrait, second: &Portrait) -> Vec<Difference> {
    let mut keys: Vec<&(Group, String)> = first.features.keys().chain(second.features.keys()).collect();
    keys.sort();
    keys.dedup();
    let difference = |key: &(Group, String)| {
        let values = [first, second].map(|side| side.features.get(key).cloned());
        let (group, name) = (key.0, key.1.clone());
        (values[0] != values[1]).then_some(Difference { group, name, values })
    };
    keys.into_iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_one() {
        let portrait = |features: &[(Group, &str, &str)]| Portrait {
            swap: Vec::new(),
            features: features
                .iter()
                .map(|(group, name, value)| ((*group, (*name).to_owned()), (*value).to_owned()))
                .collect(),
        };
        let first = portrait(&[
            (Group::Env, "DEBUG", "1"),
            (Group::Variables, "workers", "2"),
            (Group::Variables, "same", "x"),
        ]);
        let second = portrait(&[
            (Group::Variables, "workers", "8"),
            (Group::Variables, "same", "x"),
            (Group::Rules, "clean", "true"),
        ]);
        let told = |difference: &Difference| {
            let [first, second] = difference.values.clone().map(Option::unwrap_or_default);
            format!("{:?} {}: {first} | {second}", difference.group, difference.name)
        };
        let all: Vec<String> = differences(&first, &second).iter().map(told).collect();
        assert_eq!(all, ["Variables workers: 2 | 8", "Env DEBUG: 1 | ", "Rules clean:  | true"]);
        assert_eq!(differences(&first, &first), []);
    }
}
