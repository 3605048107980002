//! Saved laws: a strict container of tensors and what must be known to use them.
//!
//! The file is a safetensors file with `F64` tensors and two entries of text metadata:
//! `hysteron`, the [`Metadata`] as JSON, and `sha256`, the digest over that JSON and the tensors.
//! Nothing in it is executed, and nothing larger than the file is allocated to read it.

use crate::error::{Error, Result};
use crate::file;
use crate::file::hexadecimal;
use crate::mandel::Measure;
use crate::model::Normalisation;
use crate::recurrent::Architecture;
use safetensors::tensor::{Dtype, SafeTensors};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::path::Path;

/// Version of the format that this crate writes and reads.
pub const SCHEMA: u32 = 1;
const MAX_HEADER: u64 = 1 << 20;
const MAX_BYTES: u64 = 1 << 30;
const MAX_TENSOR_NAME: usize = 256;
const METADATA_KEY: &str = "hysteron";
const DIGEST_KEY: &str = "sha256";

/// The units of a saved law. There is one set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    pub strain: String,
    pub stress: String,
    pub time: String,
}

impl Default for Units {
    fn default() -> Self {
        Self {
            strain: "1".into(),
            stress: "MPa".into(),
            time: "s".into(),
        }
    }
}

/// What must be known to use the tensors of a saved law.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// [`SCHEMA`]
    pub schema: u32,
    /// Version of the crate that wrote the file.
    pub crate_version: String,
    /// What the law is called.
    pub name: String,
    /// Which law, and its sizes.
    pub architecture: Architecture,
    pub normalisation: Normalisation,
    pub units: Units,
    pub strain_measure: Measure,
    pub stress_measure: Measure,
    pub card_name: String,
    /// [`crate::card::Card::hash`]
    pub card_hash: String,
    pub training: serde_json::Value,
    pub audit: serde_json::Value,
}

/// Parameters by name.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    pub name: String,
    pub shape: Vec<usize>,
    /// Row-major, finite.
    pub values: Vec<f64>,
}

/// A saved law.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFile {
    pub metadata: Metadata,
    /// After loading, sorted by name.
    pub tensors: Vec<NamedTensor>,
}

impl ModelFile {
    /// The tensor of this name.
    pub fn tensor(&self, name: &str) -> Option<&NamedTensor> {
        self.tensors.iter().find(|t| t.name == name)
    }

    /// Writes an adjacent file first and then renames it, so that there is never
    /// half a file under this name.
    ///
    /// # Errors
    /// [`Error::Model`] where the law could not be loaded again, [`Error::Io`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        file::write(path, &self.to_bytes(path)?).map_err(|e| Error::io(path, e))
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`Error::Model`] where the file is empty, over 1 GiB, truncated, changed since it was
    /// written, of another schema, or holds what this format does not know; [`Error::Io`].
    pub fn load(path: impl AsRef<Path>) -> Result<ModelFile> {
        let path = path.as_ref();
        let bytes = file::read(path, MAX_BYTES, |message| problem(path, message))?;
        Self::from_bytes(path, &bytes)
    }

    /// [`ModelFile::load`] from memory; `path` stands in the errors.
    pub fn from_bytes(path: impl AsRef<Path>, bytes: &[u8]) -> Result<ModelFile> {
        read(bytes).map_err(|message| problem(path.as_ref(), message))
    }

    /// [`ModelFile::save`] into memory; `path` stands in the errors.
    pub fn to_bytes(&self, path: impl AsRef<Path>) -> Result<Vec<u8>> {
        write(self).map_err(|message| problem(path.as_ref(), message))
    }
}

fn problem(path: &Path, message: impl Into<String>) -> Error {
    Error::Model {
        path: path.to_path_buf(),
        message: message.into(),
    }
}

fn write(model: &ModelFile) -> Result<Vec<u8>, String> {
    check_metadata(&model.metadata)?;
    let mut tensors: Vec<_> = model.tensors.iter().collect();
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = tensors.windows(2).find(|t| t[0].name == t[1].name) {
        return Err(format!("two tensors are called `{}`", pair[0].name));
    }
    for tensor in &tensors {
        check_tensor(tensor)?;
    }
    let json = serde_json::to_string(&model.metadata).map_err(|e| e.to_string())?;
    // The header is written here, its keys sorted: the same law gives the same bytes.
    let text = json!({ METADATA_KEY: json, DIGEST_KEY: digest(&json, &tensors) });
    let mut entries = serde_json::Map::from_iter([("__metadata__".to_string(), text)]);
    let mut data = Vec::new();
    for tensor in &tensors {
        let start = data.len();
        data.extend(bytes_of(&tensor.values));
        let entry = json!({
            "dtype": "F64",
            "shape": tensor.shape,
            "data_offsets": [start, data.len()],
        });
        entries.insert(tensor.name.clone(), entry);
    }
    let mut text = serde_json::to_string(&entries).map_err(|e| e.to_string())?;
    // The data are aligned to their entries.
    text.push_str(&" ".repeat(text.len().next_multiple_of(8) - text.len()));
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes.append(&mut data);
    // What could not be loaded again must not be saved.
    header(&bytes)?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err("over 1 GiB".into()),
        false => Ok(bytes),
    }
}

fn read(bytes: &[u8]) -> Result<ModelFile, String> {
    let header = header(bytes)?;
    check_keys(header)?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let (_, about) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
    let text = about.metadata().as_ref();
    let entry = |key: &str| {
        let value = text.and_then(|text| text.get(key));
        value.ok_or(format!("not a saved law: no `{key}` in the metadata"))
    };
    let (json, expected) = (entry(METADATA_KEY)?, entry(DIGEST_KEY)?);
    if text.is_some_and(|text| text.len() != 2) {
        return Err("unknown entries in the file's metadata".into());
    }
    let metadata = read_metadata(json)?;
    let mut tensors = Vec::with_capacity(file.len());
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F64 {
            let found = view.dtype();
            return Err(format!("tensor `{name}` is {found}, F64 is needed"));
        }
        let tensor = NamedTensor {
            name: name.to_string(),
            shape: view.shape().to_vec(),
            values: values_of(view.data()),
        };
        check_tensor(&tensor)?;
        tensors.push(tensor);
    }
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    if digest(json, &tensors.iter().collect::<Vec<_>>()) != *expected {
        return Err("the file was changed since it was written: its sha256 does not match".into());
    }
    Ok(ModelFile { metadata, tensors })
}

/// The JSON header, after a check of its length.
fn header(bytes: &[u8]) -> Result<&[u8], String> {
    if bytes.is_empty() {
        return Err("the file is empty".into());
    }
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err("the file is truncated within its first 8 bytes".into());
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER {
        return Err(format!(
            "a header of {length} bytes, {MAX_HEADER} are possible"
        ));
    }
    usize::try_from(length)
        .ok()
        .and_then(|length| rest.get(..length))
        .ok_or("the file is truncated within its header".into())
}

fn read_metadata(json: &str) -> Result<Metadata, String> {
    #[derive(Deserialize)]
    struct Schema {
        schema: u32,
    }
    let unreadable = |e: serde_json::Error| format!("metadata: {e}");
    // The version first: another schema may well have other fields.
    let Schema { schema } = serde_json::from_str(json).map_err(unreadable)?;
    if schema != SCHEMA {
        return Err(format!(
            "schema {schema} is unknown, this version reads schema {SCHEMA}"
        ));
    }
    let metadata: Metadata = serde_json::from_str(json).map_err(unreadable)?;
    check_metadata(&metadata)?;
    Ok(metadata)
}

fn check_metadata(metadata: &Metadata) -> Result<(), String> {
    let ranges = metadata.normalisation.strain_range.as_flattened();
    if let Some(end) = ranges.iter().find(|end| !end.is_finite()) {
        return Err(format!(
            "a strain range ends at {end}: JSON has no such number"
        ));
    }
    if metadata.schema != SCHEMA {
        return Err(format!("schema {}, {SCHEMA} is needed", metadata.schema));
    }
    if metadata.name.is_empty() {
        return Err("the law has no name".into());
    }
    let architecture = &metadata.architecture;
    architecture
        .check()
        .map_err(|(key, message)| format!("architecture: {key}: {message}"))?;
    metadata
        .normalisation
        .check(architecture.components, architecture.external)
        .map_err(|e| e.to_string())?;
    if metadata.units != Units::default() {
        return Err(format!("unknown units {:?}", metadata.units));
    }
    Ok(())
}

fn check_tensor(tensor: &NamedTensor) -> Result<(), String> {
    let name = &tensor.name;
    if name.is_empty() || name.len() > MAX_TENSOR_NAME || name.starts_with("__") {
        let shown: String = name.chars().take(40).collect();
        return Err(format!("`{shown}` cannot name a tensor"));
    }
    let entries = tensor
        .shape
        .iter()
        .try_fold(1usize, |all, &n| all.checked_mul(n));
    if entries != Some(tensor.values.len()) || tensor.shape.contains(&0) {
        return Err(format!(
            "tensor `{name}` of shape {:?} has {} entries",
            tensor.shape,
            tensor.values.len()
        ));
    }
    match tensor.values.iter().position(|v| !v.is_finite()) {
        Some(at) => Err(format!(
            "tensor `{name}`: entry {at} is not finite ({})",
            tensor.values[at]
        )),
        None => Ok(()),
    }
}

fn bytes_of(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn values_of(bytes: &[u8]) -> Vec<f64> {
    let (entries, _) = bytes.as_chunks::<8>();
    entries.iter().map(|b| f64::from_le_bytes(*b)).collect()
}

/// SHA-256 over the metadata and the tensors in order of their names; lengths go before contents,
/// so that nothing can move from one to the next.
fn digest(json: &str, tensors: &[&NamedTensor]) -> String {
    let mut hash = Sha256::new();
    let length = |n: usize| (n as u64).to_le_bytes();
    hash.update(length(json.len()));
    hash.update(json);
    for tensor in tensors {
        hash.update(length(tensor.name.len()));
        hash.update(&tensor.name);
        hash.update(length(tensor.shape.len()));
        for &n in &tensor.shape {
            hash.update(length(n));
        }
        for value in &tensor.values {
            hash.update(value.to_le_bytes());
        }
    }
    hexadecimal(&hash.finalize())
}

/// Refuses a header that names a tensor or an entry twice: JSON parsers keep the last, silently.
fn check_keys(header: &[u8]) -> Result<(), String> {
    let mut json = serde_json::Deserializer::from_slice(header);
    UniqueKeys
        .deserialize(&mut json)
        .map_err(|e| format!("header: {e}"))
}

struct UniqueKeys;

impl<'de> DeserializeSeed<'de> for UniqueKeys {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("an object with each key once")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            match key == "__metadata__" {
                true => map.next_value_seed(UniqueKeys)?,
                false => map.next_value::<IgnoredAny>().map(drop)?,
            }
            if !seen.insert(key.clone()) {
                let shown: String = key.chars().take(40).collect();
                return Err(serde::de::Error::custom(format!(
                    "`{shown}` is there twice"
                )));
            }
        }
        Ok(())
    }
}
