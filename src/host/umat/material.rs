//! The name of the material: it says which interface of CalculiX called.

use crate::host::pointer::leads;

/// Most characters of a name.
const LENGTH: usize = 80;

/// Who calls, as `CMNAME` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Interface {
    /// CalculiX, `@ABAQUS_…`: the linear strain, or with `NLGEOM` Green's.
    Small,
    /// CalculiX, `@ABAQUSNL_…`: the logarithmic strain that it makes of Green's, in the frame that turns with
    /// the material.
    Logarithmic,
    /// Another host.
    Other,
}

/// A name in the characters of the host.
#[derive(Clone, Copy)]
pub(super) struct Material(*const u8);

impl Material {
    pub fn new(name: *const u8) -> Self {
        Self(name)
    }

    /// # Safety
    /// The pointer leads nowhere or to a name that ends with a blank, a zero, or after 80 characters.
    pub unsafe fn interface(self) -> Interface {
        // SAFETY: as the caller promises.
        unsafe {
            match () {
                () if self.begins(b"@ABAQUSNL_") => Interface::Logarithmic,
                () if self.begins(b"@ABAQUS_") => Interface::Small,
                () => Interface::Other,
            }
        }
    }

    /// The name after the interface: that of the library.
    ///
    /// # Safety
    /// As [`Material::interface`].
    pub unsafe fn library(self) -> String {
        // SAFETY: as the caller promises.
        let name: String = unsafe { self.text() };
        let known = ["@ABAQUSNL_", "@ABAQUS_", "@"];
        let rest = known.iter().find_map(|prefix| name.strip_prefix(prefix));
        rest.unwrap_or(&name).to_string()
    }

    /// Whether this is a name of CalculiX, which begins with `@`, and not a number.
    ///
    /// # Safety
    /// As [`Material::interface`], or it leads to a number.
    pub unsafe fn is_calculix(self) -> bool {
        // SAFETY: the eight characters of a number, or as the caller promises.
        unsafe { self.begins(b"@") && self.text().len() >= 2 }
    }

    /// No character behind the first other one is read.
    unsafe fn begins(self, prefix: &[u8]) -> bool {
        // SAFETY: as the callers promise.
        leads(self.0) && (0..prefix.len()).all(|i| unsafe { *self.0.add(i) } == prefix[i])
    }

    /// Up to the first character that a name does not have.
    unsafe fn text(self) -> String {
        let mut text = String::new();
        for i in (0..LENGTH).take_while(|_| leads(self.0)) {
            // SAFETY: as the callers promise.
            match unsafe { *self.0.add(i) } {
                character @ b'!'..=b'~' => text.push(char::from(character)),
                _ => break,
            }
        }
        text
    }
}
