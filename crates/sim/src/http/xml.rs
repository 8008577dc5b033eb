//! XML, as far as AWS's query protocol writes it: elements and text, no attributes but the namespace.

use orgsweep_core::Timestamp;

use crate::calendar::push_time;

/// A document that is being written.
#[derive(Debug, Default)]
pub(super) struct Xml {
    out: Vec<u8>,
}

impl Xml {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes) }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// The root element, with its namespace, around what `inside` writes.
    pub(super) fn root(&mut self, name: &str, suffix: &str, namespace: &str, inside: impl FnOnce(&mut Self)) {
        self.push(&["<", name, suffix, " xmlns=\"", namespace, "\">"]);
        inside(self);
        self.push(&["</", name, suffix, ">\n"]);
    }

    /// An element around what `inside` writes.
    pub(super) fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.push(&["<", name, ">"]);
        inside(self);
        self.push(&["</", name, ">"]);
    }

    /// An element with a text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.element(name, |xml| xml.push_escaped(text));
    }

    /// An element with `true` or `false`.
    pub(super) fn flag(&mut self, name: &str, flag: bool) {
        self.text(name, if flag { "true" } else { "false" });
    }

    /// An element with a number.
    pub(super) fn number(&mut self, name: &str, number: impl Into<i128>) {
        self.text(name, &number.into().to_string());
    }

    /// An element with a time.
    pub(super) fn time(&mut self, name: &str, time: Timestamp) {
        self.element(name, |xml| push_time(&mut xml.out, time));
    }

    /// An element with bytes in base64.
    pub(super) fn base64(&mut self, name: &str, bytes: &[u8]) {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
        self.push(&["<", name, ">", &encoded, "</", name, ">"]);
    }

    fn push(&mut self, parts: &[&str]) {
        for part in parts {
            self.out.extend_from_slice(part.as_bytes());
        }
    }

    /// Control characters, which no XML can hold, become question marks.
    fn push_escaped(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                b'&' => self.push(&["&amp;"]),
                b'<' => self.push(&["&lt;"]),
                b'>' => self.push(&["&gt;"]),
                b'"' => self.push(&["&quot;"]),
                0..=8 | 11..=31 => self.out.push(b'?'),
                _ => self.out.push(byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let mut xml = Xml::default();
        xml.root("Get", "Response", "urn:x", |xml| {
            xml.text("Arn", "a<b>&\"c\" Zoë\u{1}");
            xml.flag("Is", true);
            xml.number("Count", 5000_u64);
            xml.base64("Content", b"user");
        });
        let text = String::from_utf8(xml.into_bytes()).unwrap();
        let expected = "<GetResponse xmlns=\"urn:x\"><Arn>a&lt;b&gt;&amp;&quot;c&quot; Zoë?</Arn><Is>true</Is>\
                        <Count>5000</Count><Content>dXNlcg==</Content></GetResponse>\n";
        assert_eq!(text, expected);
    }
}
