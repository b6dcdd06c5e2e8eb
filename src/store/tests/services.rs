//! Object stores, asked of servers that speak as the vendors' do; and what the vendors' own clients find there after us.

use super::emulator::{AZURE_ACCOUNT, AZURE_KEY, Emulator};
use super::{content, create, go, is_a_store, names, overwrites_nothing, read};
use crate::model::store::{Address, Keys, Place};
use crate::store::Store;
use crate::store::remote::part_size;

fn store(url: &str, endpoint: &str, keys: &[(&str, &str)]) -> Store {
    let place = Place {
        address: Address::parse(url).unwrap(),
        endpoint: Some(endpoint.to_owned()),
        region: None,
        keys: Keys::default(),
    };
    let key = |name: &str| keys.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Store::open(&place, std::path::Path::new("/"), &key).unwrap()
}

/// Everything, in folders of one bucket; then the vendor's client looks.
fn serves(emulator: &Emulator, open: &dyn Fn(&str) -> Store) {
    is_a_store(&open("all"));
    overwrites_nothing(&open("guarded/deep"));
    let (found, large) = (emulator.found(), content(super::LARGE));
    let said = |name: &str, content: &[u8]| {
        let digest = format!("{:?}", ring::digest::digest(&ring::digest::SHA256, content));
        format!("{name} {} {}", content.len(), digest.trim_start_matches("SHA256:"))
    };
    let all = [
        said("all/db/1/dump", b"one"),
        said("all/db/10/dump", &large),
        said("all/db/2/none", b""),
        said("guarded/deep/a", b"one"),
    ];
    assert_eq!(found, all, "what the vendor's client reads");
    // Beside the folders, and not of them.
    assert_eq!(open("al").list("", &go()).unwrap(), []);
}

#[test]
fn s3_is_a_store() {
    let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_REGION", "us-east-1")];
    let emulator = Emulator::s3();
    let open = |folder: &str| store(&format!("s3://builds/{folder}"), emulator.endpoint(), &keys);
    serves(&emulator, &open);
    serves_several(&open("several"));
}

/// One store, asked from several threads.
fn serves_several(store: &Store) {
    std::thread::scope(|scope| {
        for n in 0..6 {
            scope.spawn(move || {
                let (name, whole) = (format!("{n}"), content(9_000_000 + n));
                create(store, &name, &whole).unwrap();
                assert!(read(store, &name).unwrap() == whole, "{name} is whole");
            });
        }
    });
    assert_eq!(store.list("", &go()).unwrap().len(), 6);
}

/// moto is no Spaces; what is other there, a region and the names of the keys, is.
#[test]
fn spaces_is_a_store() {
    let keys = [("SPACES_ACCESS_KEY_ID", "a"), ("SPACES_SECRET_ACCESS_KEY", "b")];
    let emulator = Emulator::s3();
    serves(&emulator, &|folder| store(&format!("spaces://builds/{folder}"), emulator.endpoint(), &keys));
}

#[test]
fn azure_is_a_store() {
    let keys = [("AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT), ("AZURE_STORAGE_KEY", AZURE_KEY)];
    let emulator = Emulator::azure();
    serves(&emulator, &|folder| store(&format!("az://builds/{folder}"), emulator.endpoint(), &keys));
}

/// The server doesn't heed the condition under which an object is created: that nothing is overwritten is shown here by
/// our look before alone.
#[test]
fn google_is_a_store() {
    let emulator = Emulator::google();
    serves(&emulator, &|folder| store(&format!("gs://builds/{folder}"), emulator.endpoint(), &[]));
}

/// S3 takes 10,000 parts of an object; memory holds about two.
#[test]
fn half_a_terabyte_fits_into_the_parts_that_a_service_takes() {
    let (mut size, mut parts) = (0, 0);
    while size < 500_000_000_000_usize {
        size += part_size(parts);
        parts += 1;
    }
    assert!(
        parts < 10_000 && part_size(parts) <= 256 << 20,
        "{parts} parts, the last of {}",
        part_size(parts)
    );
}

/// Else somebody else's credentials might be taken, who comes next.
#[test]
fn credentials_that_can_not_be_read_are_told() {
    let place = |url: &str| Place {
        address: Address::parse(url).unwrap(),
        endpoint: None,
        region: Some("fra1".to_owned()),
        keys: Keys::default(),
    };
    for (url, name, value, part) in [
        ("gs://builds", "GOOGLE_APPLICATION_CREDENTIALS", "{\"secret-key", "holds is no JSON"),
        (
            "gs://builds",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "/no/such/file",
            "names `/no/such/file`, which is no file",
        ),
        ("s3://builds", "AWS_ACCESS_KEY_ID", "secret-key", "`AWS_SECRET_ACCESS_KEY` is not"),
        ("spaces://builds", "SPACES_SECRET_ACCESS_KEY", "secret-key", "`SPACES_ACCESS_KEY_ID` is not"),
        ("az://builds", "AZURE_STORAGE_KEY", "secret-key", "such as AZURE_STORAGE_ACCOUNT"),
        ("az://builds", "AZURE_STORAGE_CONNECTION_STRING", "secret-key", "is no connection string"),
    ] {
        let key = |asked: &str| (asked == name).then(|| value.to_owned());
        let opened = Store::open(&place(url), std::path::Path::new("/"), &key);
        let error = opened.err().expect("it can't be opened").to_string();
        assert!(error.contains(part) && !error.contains("secret-key"), "{error}");
    }
}

/// A connection string has all in one.
#[test]
fn azure_opens_by_a_connection_string() {
    let emulator = Emulator::azure();
    let said = format!(
        "DefaultEndpointsProtocol=http;AccountName={AZURE_ACCOUNT};AccountKey={AZURE_KEY};BlobEndpoint={}",
        emulator.endpoint()
    );
    let place = Place {
        address: Address::parse("az://builds").unwrap(),
        endpoint: None,
        region: None,
        keys: Keys::default(),
    };
    let key = |name: &str| (name == "AZURE_STORAGE_CONNECTION_STRING").then(|| said.clone());
    let store = Store::open(&place, std::path::Path::new("/"), &key).unwrap();
    create(&store, "a/b", b"one").unwrap();
    assert_eq!(read(&store, "a/b").unwrap(), b"one");
    assert_eq!(names(&store.list("a", &go()).unwrap()), [("a/b", 3)]);
}

/// What looks and finds nothing, and what can't be done: each says what to do.
#[test]
fn what_the_service_refuses_is_told() {
    let emulator = Emulator::azure();
    let wrong = [("AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT), ("AZURE_STORAGE_KEY", "d3Jvbmc=")];
    let refused = store("az://builds", emulator.endpoint(), &wrong);
    let error = create(&refused, "a", b"x").unwrap_err().to_string();
    assert!(error.contains("it refuses these credentials"), "{error}");
    let right = [("AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT), ("AZURE_STORAGE_KEY", AZURE_KEY)];
    let missing = store("az://none", emulator.endpoint(), &right);
    let error = create(&missing, "a", b"x").unwrap_err().to_string();
    assert!(error.contains("make it first"), "{error}");
    let error = missing.list("", &go()).unwrap_err().to_string();
    assert!(error.contains("make it first"), "{error}");

    let emulator = Emulator::s3();
    let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
    let missing = store("s3://none", emulator.endpoint(), &keys);
    let errors = [create(&missing, "a", b"x").unwrap_err(), missing.list("", &go()).unwrap_err()];
    for error in errors.map(|error| error.to_string()) {
        assert!(error.contains("s3://none: there is no such bucket; deploy makes none"), "{error}");
    }
}
