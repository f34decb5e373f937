//! The header's text: a Python dictionary of three keys, read without Python and without recursion.

use crate::{Fault, dtype::excerpt};

/// What numpy allows.
const MOST_AXES: usize = 64;

/// What the three keys say.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    /// Not looked into: what is allowed depends on what is to be read.
    pub(crate) descr: &'a [u8],
    pub(crate) fortran: bool,
    pub(crate) shape: Vec<u64>,
}

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, its keys in any order.
pub(crate) fn fields(text: &[u8]) -> Result<Fields<'_>, Fault> {
    let mut text = Text { text, at: 0 };
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    text.expect("{")?;
    while !text.take("}") {
        let key = text.string("a key in quotes")?;
        text.expect(":")?;
        match key {
            b"descr" => once("descr", &mut descr, text.descr()?)?,
            b"fortran_order" => once("fortran_order", &mut fortran, text.boolean()?)?,
            b"shape" => once("shape", &mut shape, text.shape()?)?,
            _ => return Err(Fault::UnknownKey { key: excerpt(key) }),
        }
        if !text.take(",") {
            text.expect("}")?;
            break;
        }
    }
    text.end()?;
    Ok(Fields {
        descr: descr.ok_or(Fault::MissingKey { key: "descr" })?,
        fortran: fortran.ok_or(Fault::MissingKey { key: "fortran_order" })?,
        shape: shape.ok_or(Fault::MissingKey { key: "shape" })?,
    })
}

fn once<T>(key: &'static str, field: &mut Option<T>, value: T) -> Result<(), Fault> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(Fault::DuplicateKey { key }),
    }
}

struct Text<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Text<'a> {
    /// What is left, from its next token on.
    fn rest(&mut self) -> &'a [u8] {
        let rest = &self.text[self.at..];
        let token = rest.trim_ascii_start();
        self.at += rest.len() - token.len();
        token
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token.as_bytes());
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &'static str) -> Result<(), Fault> {
        if self.take(token) { Ok(()) } else { Err(self.expected(token)) }
    }

    fn expected(&self, expected: &'static str) -> Fault {
        Fault::HeaderSyntax { at: self.at, expected }
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.expected("its end")) }
    }

    /// A string without escapes, which no key and no dtype of numbers has, and perhaps with the u that Python 2 wrote
    /// before it.
    fn string(&mut self, expected: &'static str) -> Result<&'a [u8], Fault> {
        if let [b'u' | b'U', b'\'' | b'"', ..] = self.rest() {
            self.at += 1;
        }
        if let [quote @ (b'\'' | b'"'), rest @ ..] = self.rest()
            && let Some(length) = rest.iter().position(|byte| byte == quote)
        {
            self.at += length + 2;
            return Ok(&rest[..length]);
        }
        Err(self.expected(expected))
    }

    fn descr(&mut self) -> Result<&'a [u8], Fault> {
        match self.rest() {
            [b'[' | b'(' | b'{', ..] => Err(Fault::Records),
            _ => self.string("a dtype in quotes"),
        }
    }

    fn boolean(&mut self) -> Result<bool, Fault> {
        if self.take("True") {
            return Ok(true);
        }
        if self.take("False") { Ok(false) } else { Err(self.expected("True or False")) }
    }

    fn shape(&mut self) -> Result<Vec<u64>, Fault> {
        let mut shape = Vec::new();
        self.expect("(")?;
        while !self.take(")") {
            if shape.len() == MOST_AXES {
                return Err(self.expected("the end of a shape, which has 64 axes at most"));
            }
            shape.push(self.size()?);
            let more = self.take(",");
            // In Python (5) is a number, and (5,) a shape.
            if !more && shape.len() == 1 {
                return Err(self.expected(","));
            }
            if !more {
                self.expect(")")?;
                break;
            }
        }
        Ok(shape)
    }

    /// A number below 2⁶⁴: `20`, `1_000`, `20L` as Python 2 wrote large ones, or `np.int64(20)` as numpy 2 shows its own.
    fn size(&mut self) -> Result<u64, Fault> {
        let wrapped = self.take_name_of_number();
        let number = self.digits()?;
        if wrapped {
            self.expect(")")?;
        }
        Ok(number)
    }

    /// Takes `np.int64(`, or the name of another whole number of numpy.
    fn take_name_of_number(&mut self) -> bool {
        const NAMES: [&str; 8] = ["int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"];
        let rest = self.rest();
        let Some(name) = rest.strip_prefix(b"np.").or_else(|| rest.strip_prefix(b"numpy.")) else {
            return false;
        };
        let Some(open) = name.iter().position(|&byte| byte == b'(') else { return false };
        let known = NAMES.iter().any(|known| known.as_bytes() == &name[..open]);
        if known {
            self.at += rest.len() - name.len() + open + 1;
        }
        known
    }

    /// Digits, with single underscores between them.
    fn digits(&mut self) -> Result<u64, Fault> {
        let rest = self.rest();
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'_').count();
        let number = match &rest[..length] {
            // An octal number in Python 2, an error in Python 3.
            [] | [b'0', _, ..] | [b'_', ..] | [.., b'_'] => None,
            digits if digits.windows(2).any(|two| two == b"__") => None,
            digits => digits
                .iter()
                .filter(|&&digit| digit != b'_')
                .try_fold(0u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))),
        };
        let number = number.ok_or_else(|| self.expected("a size below 2⁶⁴"))?;
        self.at += length;
        self.at += usize::from(rest.get(length) == Some(&b'L'));
        Ok(number)
    }
}
